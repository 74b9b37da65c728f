import { createServer as createPlain, type IncomingMessage, type Server } from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { AddressInfo } from 'node:net'

import { makeAuthority } from '../../support/certificates.ts'

/** Somebody else's web site: a client, or an attacker. */
export interface Site {
  readonly port: number
  /** What it was asked, oldest first. */
  readonly asked: readonly IncomingMessage[]
  /** What it answers at a path from now on. */
  show(path: string, page: SitePage): void
  close(): Promise<void>
}

interface SitePage {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Over HTTPS as `name`, or over plain HTTP where there is none. */
export async function startSite(options: { readonly name?: string; readonly host?: string } = {}): Promise<Site> {
  const pages = new Map<string, SitePage>()
  const asked: IncomingMessage[] = []
  const server: Server =
    options.name === undefined ? createPlain() : createSecure(makeAuthority().issue({ names: [options.name] }))
  server.on('request', (req, res) => {
    const path = new URL(req.url ?? '', 'http://site').pathname
    if (path !== '/favicon.ico') asked.push(req)
    const { status = 200, headers = {}, body = '' } = pages.get(path) ?? { status: 404 }
    res.writeHead(status, { 'content-type': 'text/html; charset=utf-8', ...headers }).end(body)
  })
  await new Promise<void>((listening) => {
    server.listen(0, options.host ?? '127.0.0.1', listening)
  })
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    show: (path, page) => void pages.set(path, page),
    close: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
