import { ServerResponse, STATUS_CODES } from 'node:http'

import type { ReceivedRequest } from './received.ts'

/** Node's response, and one more way to begin it. */
export class ClientResponse extends ServerResponse<ReceivedRequest> {
  /** Of Node, and in no type of it: the head that goes out before the first of the body. */
  declare private _header: string

  /**
   * The head of a whole answer on a connection that goes on, as a text. `writeHead` would take each line apart again,
   * look at what was looked at when it was read or made, and join it: the greater part of what an answer costs.
   *
   * `fields`: its lines, each with its CRLF, one character a byte; they say how long the body is, if there is one.
   */
  writeFields(status: number, fields: string): void {
    this.statusCode = status
    // oxlint-disable-next-line eslint/no-underscore-dangle -- Node's own name
    this._header = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n${fields}Connection: keep-alive\r\n\r\n`
  }
}
