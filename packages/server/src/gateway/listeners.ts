import { type Server as HttpServer, createServer } from 'node:http'
import type { Server, Socket } from 'node:net'

import { type Result, fail, ok } from '../base/result.ts'
import { answerSocket } from './answer.ts'
import { ClientResponse } from './client-response.ts'
import { connectionOf } from './connection.ts'
import { type Connections, createConnections } from './connections.ts'
import type { GatewayContext } from './context.ts'
import { Exchange } from './exchange.ts'
import { ReceivedRequest } from './received.ts'
import { UpgradingClient, asksForWebSocket } from './upgrade.ts'
import { parserFault } from './wire.ts'

export interface ListenAddress {
  readonly host: string
  readonly port: number
  /** A socket that listens there already, and that this process was started with. */
  readonly fd?: number
}

export interface BusyAddress extends ListenAddress {
  /** EADDRINUSE, EACCES, EADDRNOTAVAIL, … */
  readonly reason: string
}

export interface Listeners {
  /** All of what is new or none of it; what is gone stops accepting. Answers the addresses as they were bound. */
  update(addresses: readonly ListenAddress[]): Promise<Result<readonly ListenAddress[], readonly BusyAddress[]>>
  close(graceMs: number): Promise<void>
}

export function createListeners(context: GatewayContext, serve: (exchange: Exchange) => void): Listeners {
  const open = new Map<string, Listener>()
  const ending = new Set<Promise<void>>()
  const retire = (listener: Listener) => {
    const ended = listener.close().finally(() => ending.delete(ended))
    ending.add(ended)
  }
  return {
    update: async (addresses) => {
      const added = addresses.filter((address) => !open.has(keyOf(address)))
      const outcomes = await Promise.all(added.map((address) => listen(context, serve, address)))
      const busy = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]))
      if (busy.length > 0) {
        await Promise.all(outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value.close()] : [])))
        return fail(busy)
      }
      const wanted = new Set(addresses.map(keyOf))
      for (const [key, listener] of open) {
        if (wanted.has(key)) continue
        open.delete(key)
        retire(listener)
      }
      for (const outcome of outcomes) {
        if (!outcome.ok) continue
        outcome.value.accept()
        open.set(keyOf(outcome.value.asked), outcome.value)
      }
      return ok(addresses.flatMap((address) => open.get(keyOf(address))?.bound ?? []))
    },
    close: async (graceMs) => {
      context.closing = true
      const all = [...open.values()]
      for (const listener of all) retire(listener)
      open.clear()
      const cut = context.clock.after(graceMs, () => {
        for (const listener of all) listener.cut()
      })
      await Promise.all(ending)
      cut.stop()
    },
  }
}

const keyOf = ({ host, port }: ListenAddress): string => `${host} ${port}`

type GatewayServer = HttpServer<typeof ReceivedRequest, typeof ClientResponse>

interface Listener {
  readonly asked: ListenAddress
  readonly bound: ListenAddress
  /** Until then connections are turned away: either all addresses are served or none is. */
  accept(): void
  /** Stops accepting; resolves when the last connection has ended. */
  close(): Promise<void>
  /** Ends every connection at once. */
  cut(): void
}

async function listen(
  context: GatewayContext,
  serve: (exchange: Exchange) => void,
  asked: ListenAddress,
): Promise<Result<Listener, BusyAddress>> {
  const { limits } = context
  let handshakes: { shaking(): number } | null = null
  const connections = createConnections(context.clock, limits.keepAliveMs, () => handshakes?.shaking() ?? 0)
  const server: GatewayServer = createServer({
    IncomingMessage: ReceivedRequest,
    ServerResponse: ClientResponse,
    maxHeaderSize: limits.headBytesMax,
    headersTimeout: limits.headTimeoutMs,
    // Bodies may be long; what counts is that they move on (`Forwarding`, `endAnswer`).
    requestTimeout: 0,
    // Idle connections are ended by `Connections`.
    keepAliveTimeout: 0,
    connectionsCheckingInterval: Math.min(1_000, limits.headTimeoutMs),
    insecureHTTPParser: false,
    // Missing and repeated Host are answered alike, by us.
    requireHostHeader: false,
    noDelay: true,
    optimizeEmptyRequests: true,
    // Not behind a request that has not been answered yet: nobody does that.
    shouldUpgradeCallback: (req) => asksForWebSocket(req) && connections.open.get(req.socket)?.current === null,
  })
  // No silent truncation: the lines are counted by `wireFault`, and their bytes are bounded above.
  server.maxHeadersCount = 0
  server.maxConnections = limits.connectionsMax
  let accepting: ListenAddress | null = null
  server.on('connection', (socket) => {
    const bound = connections.over() ? null : accepting
    const connection = bound === null ? null : connectionOf<Exchange>(socket, bound.port, context.tls?.on() === true)
    if (connection === null) return void socket.destroy()
    connections.add(socket, connection)
    // Node takes its own listener away with CONNECT and Upgrade: a reset would then end the process.
    socket.on('error', ignore)
  })
  receive(context, serve, server, connections)
  handshakes = context.tls?.attach(server) ?? null
  const failure = await bind(server, asked)
  if (failure !== null) {
    await connections.drain()
    return fail({ ...asked, reason: failure })
  }
  const bound = boundTo(server)
  // Clients wait in the queue of a socket that was passed: they are taken from its first moment.
  if (asked.fd !== undefined) accepting = bound
  return ok({
    asked,
    bound,
    accept: () => {
      accepting = bound
    },
    close: () => {
      server.close()
      return connections.drain()
    },
    cut: () => connections.cut(),
  })
}

/** Null when it listens, otherwise the system's reason. */
function bind(server: Server, { host, port, fd }: ListenAddress): Promise<string | null> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message)
    server.once('error', onError)
    server.listen(fd === undefined ? { host, port, backlog: 1024 } : { fd, backlog: 1024 }, () => {
      server.off('error', onError)
      resolve(null)
    })
  })
}

function boundTo(server: Server): ListenAddress {
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('the listener is bound to a TCP address')
  return { host: bound.address, port: bound.port }
}

/** Turns what Node's server reports into exchanges, one after the other on each connection. */
function receive(
  context: GatewayContext,
  serve: (exchange: Exchange) => void,
  server: GatewayServer,
  { open, draining }: Connections,
): void {
  const begin = (exchange: Exchange): void => {
    const { connection, res } = exchange
    connection.current = exchange
    connection.idleMs = 0
    if (draining()) connection.finish()
    // It is said once, so that nothing has to take the listener away again.
    res.on('close', () => {
      connection.current = null
      exchange.closed()
      const next = connection.waiting.shift()
      // Node too may have said close, of a client that was never told to go on: what follows would have no answer.
      if (!res.shouldKeepAlive) connection.broken = true
      if (connection.broken) connection.socket.destroySoon()
      else if (next !== undefined && !connection.socket.destroyed) begin(next)
    })
    serve(exchange)
  }
  const onRequest = (req: ReceivedRequest, res: ClientResponse): void => {
    const connection = open.get(req.socket)
    if (connection === undefined || connection.broken) return
    connection.used = true
    const exchange = new Exchange(context, connection, req, res)
    if (connection.current === null) return begin(exchange)
    connection.waiting.push(exchange)
    if (connection.waiting.length > context.limits.pipelinedMax) connection.socket.destroy()
  }
  server.on('request', onRequest)
  // 100 Continue is answered when the upstream is there; any other expectation is refused (`wireFault`).
  server.on('checkContinue', onRequest)
  server.on('checkExpectation', onRequest)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const connection = open.get(socket)
    if (connection === undefined || clientLeft.has(error.code)) return void socket.destroy()
    // Once for each piece that comes in: the client is still sending, and shall see its answer.
    if (connection.broken) return
    if (!socket.writable) return void socket.destroy()
    connection.broken = true
    const { current } = connection
    if (current === null) return answerSocket(context, connection, parserFault(error))
    // In the body of the running request; what is wrong behind it goes unanswered once that one is.
    if (current.req.complete) return
    current.bodyBroken = true
    current.inFlight?.bodyBroken()
  })
  // Whatever else asks to be upgraded is an ordinary request (`asksForWebSocket`).
  server.on('upgrade', (req: ReceivedRequest, socket: Socket, first: Buffer) => {
    const connection = open.get(socket)
    if (connection === undefined || connection.broken || connection.current !== null) return void socket.destroy()
    socket.setTimeout(0)
    const res = new ClientResponse(req)
    res.assignSocket(socket)
    res.once('finish', () => socket.destroySoon())
    socket.on('drain', () => res.emit('drain'))
    connection.used = true
    begin(new Exchange(context, connection, req, res, new UpgradingClient(socket, first)))
  })
  // A tunnel is not offered.
  server.on('connect', (_req: ReceivedRequest, socket: Socket) => {
    const connection = open.get(socket)
    if (connection === undefined) return void socket.destroy()
    if (connection.broken) return
    connection.broken = true
    if (connection.current === null) return answerSocket(context, connection, 'request_malformed')
    // What runs in front of it gets its answer, which ends the connection, unless the client leaves before.
    socket.once('end', () => socket.destroy()).resume()
  })
}

const ignore = (): void => {}

/** The other end reset its connection, or ended it inside a request. */
const clientLeft: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE'])
