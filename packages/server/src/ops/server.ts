import { type RequestListener, type Server, createServer } from 'node:http'
import { TLSSocket } from 'node:tls'

export interface NeighbourAddress {
  readonly host: string
  readonly port: number
  /** A socket that listens there already, and that this process was started with. */
  readonly fd?: number
}

export interface NeighbourTls {
  /** Whether new connections have to be TLS. */
  on(): boolean
  /** Puts TLS between the server's connections and its HTTP parser; plain HTTP is let through, to be refused. */
  attach(server: Server): void
}

/** A server for neighbours: few of them, which keep their connections. */
export function neighbourServer(onRequest: RequestListener, tls?: NeighbourTls, headMs = 5_000): Server {
  const server = createServer(
    {
      headersTimeout: headMs,
      requestTimeout: 10_000,
      // Node looks every 30 s by itself: so long a head could keep its place, of which there are not many.
      connectionsCheckingInterval: Math.min(1_000, headMs),
      keepAliveTimeout: 65_000,
      // A whole head of a client, its target a second time, and what the proxy adds.
      maxHeaderSize: 32_768,
      noDelay: true,
    },
    (req, res) => {
      if (tls?.on() !== true || req.socket instanceof TLSSocket) return onRequest(req, res)
      res.writeHead(400, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
      return res.end('{"status":"https_only"}')
    },
  )
  // Lines are bounded by their bytes and counted where they matter: none may be cut off silently.
  server.maxHeadersCount = 0
  server.maxConnections = 4_096
  tls?.attach(server)
  return server
}

export function listenOn(server: Server, { host, port, fd }: NeighbourAddress): Promise<NeighbourAddress> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(fd === undefined ? { host, port } : { fd }, () => {
      server.off('error', reject)
      const bound = server.address()
      resolve(bound !== null && typeof bound === 'object' ? { host: bound.address, port: bound.port } : { host, port })
    })
  })
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
