import { connect } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'

/** One answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number
  /** Name, value, name, value, … as received. */
  readonly lines: readonly string[]
  readonly text: string
  header(name: string): string | null
  headers(name: string): string[]
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies of many shapes; each asserts what it reads
  readonly body: any
}

export interface RawRequest {
  readonly method?: string
  readonly target?: string
  /** Pairs in order, names as written; Host and Connection are added unless `bare`. */
  readonly headers?: readonly (readonly [string, string])[]
  readonly host?: string
  readonly body?: string
  /** Address from which to connect, such as 127.0.0.2. */
  readonly from?: string
  /** Over TLS, verified like any client does: `ca` and `servername` at least. */
  readonly tls?: ConnectionOptions
}

/** One request on a connection of its own, byte for byte as written. */
export async function request(
  port: number,
  { method = 'GET', target = '/', headers = [], host = 'shop.test', body = '', from, tls }: RawRequest,
): Promise<RawAnswer> {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body, 'latin1')}`]
  const head = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: close',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...length,
  ]
  const [answer] = await exchange(port, `${head.join('\r\n')}\r\n\r\n${body}`, {
    method,
    ...(from !== undefined && { from }),
    ...(tls !== undefined && { tls }),
  })
  if (answer === undefined) throw new Error('the connection ended without an answer')
  return answer
}

/** Sends the bytes on one connection and reads every answer until the other end closes it. */
export function exchange(
  port: number,
  bytes: string,
  options: { readonly method?: string; readonly from?: string; readonly tls?: ConnectionOptions } = {},
): Promise<readonly RawAnswer[]> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const to = { port, host: '127.0.0.1', ...(options.from !== undefined && { localAddress: options.from }) }
    const socket = options.tls === undefined ? connect(to) : connectTls({ ...to, ...options.tls })
    const done = (): void => resolve(answersIn(Buffer.concat(chunks), options.method === 'HEAD'))
    socket.setTimeout(20_000, () => socket.destroy(new Error('no end of the answer within 20 s')))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? done() : reject(error),
    )
    socket.on('close', done)
    socket.write(Buffer.from(bytes, 'latin1'))
  })
}

function answersIn(bytes: Buffer, isHead: boolean): RawAnswer[] {
  const answers: RawAnswer[] = []
  let rest = bytes
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n')
    if (end === -1) break
    const [statusLine = '', ...fields] = rest.subarray(0, end).toString('latin1').split('\r\n')
    const status = Number(statusLine.split(' ')[1])
    const lines = fields.flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()])
    const after = rest.subarray(end + 4)
    const { body, rest: next } = bodyIn(after, lines, isHead || status === 204 || status < 200)
    if (status >= 200) answers.push(answerOf(status, lines, body))
    rest = next
  }
  return answers
}

function bodyIn(after: Buffer, lines: readonly string[], none: boolean): { body: string; rest: Buffer } {
  const [length] = valuesOf(lines, 'content-length')
  const [encoding] = valuesOf(lines, 'transfer-encoding')
  if (none) return { body: '', rest: after }
  if (encoding === undefined) {
    const size = length === undefined ? after.length : Number(length)
    return { body: after.subarray(0, size).toString('utf8'), rest: after.subarray(size) }
  }
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = after.indexOf('\r\n', at)
    if (lineEnd === -1) break
    const size = Number.parseInt(after.subarray(at, lineEnd).toString('latin1'), 16)
    parts.push(after.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
    if (size === 0 || Number.isNaN(size)) break
  }
  return { body: Buffer.concat(parts).toString('utf8'), rest: after.subarray(at) }
}

function answerOf(status: number, lines: readonly string[], text: string): RawAnswer {
  return {
    status,
    lines,
    text,
    header: (name) => valuesOf(lines, name)[0] ?? null,
    headers: (name) => valuesOf(lines, name),
    body: parsed(text),
  }
}

function valuesOf(lines: readonly string[], name: string): string[] {
  return lines.flatMap((line, i) =>
    i % 2 === 0 && line.toLowerCase() === name.toLowerCase() ? [lines[i + 1] ?? ''] : [],
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
