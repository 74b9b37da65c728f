import type { Server } from 'node:net'

import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { TlsListener, TlsSettings } from '../core/tls/certificate.ts'
import { type Contexts, createContexts } from './contexts.ts'
import { createHandshakes } from './handshakes.ts'

/** Ends TLS for every listener of this process, by the settings in force. */
export interface Terminator {
  /**
   * Takes settings to pieces, which may fail; what it answers puts them into force for new connections. Null: all
   * listeners speak plain HTTP.
   */
  prepare(settings: TlsSettings | null): () => void
  face(listener: TlsListener): TlsFace
  stop(): void
}

/** What one listener needs to know of TLS. */
interface TlsFace {
  /** Whether new connections have to be TLS. */
  on(): boolean
  /** Strict-Transport-Security as name and value for answers over TLS; empty where it is not declared. */
  hsts(): readonly string[]
  /**
   * Puts TLS between the server's connections and its HTTP parser. Plain HTTP is let through, for an answer.
   * `shaking`: connections whose handshake is under way.
   */
  attach(server: Server): { shaking(): number }
}

export interface TerminatorParts {
  readonly clock: Clock
  readonly random: Random
  /** A handshake failed; `code` is Node's or OpenSSL's name for why. */
  readonly onFailure?: (listener: TlsListener, code: string) => void
  /** For the first byte, and then for the handshake; the latter in real time. */
  readonly handshakeMs?: number
}

const handshakeMsDefault = 10_000
const hourMs = 3_600_000
/** Whoever learns a ticket key can read the TLS 1.2 sessions that it resumed: so none lives long. */
const ticketKeyMs = 12 * hourMs
const ticketKeyBytes = 48

export function createTerminator(parts: TerminatorParts): Terminator {
  let inForce: InForce | null = null
  const handshakes = new Set<ReturnType<typeof createHandshakes>>()
  const rotation = parts.clock.every(ticketKeyMs, () => {
    for (const each of handshakes) each.useTicketKeys(Buffer.from(parts.random.bytes(ticketKeyBytes)))
  })
  return {
    prepare: (settings) => {
      const next = settings === null ? null : inForceOf(settings)
      return () => {
        inForce = next
        if (next !== null) for (const each of handshakes) each.use(next.contexts)
      }
    },
    face: (listener) => {
      const on = (): boolean => inForce?.listeners.has(listener) === true
      return {
        on,
        hsts: () => (on() ? (inForce?.hsts ?? none) : none),
        attach: (server) => {
          const made = createHandshakes(server, {
            on,
            clock: parts.clock,
            handshakeMs: parts.handshakeMs ?? handshakeMsDefault,
            onFailure: (code) => parts.onFailure?.(listener, code),
          })
          handshakes.add(made)
          server.once('close', () => handshakes.delete(made))
          if (inForce !== null) made.use(inForce.contexts)
          return made
        },
      }
    },
    stop: () => rotation.stop(),
  }
}

interface InForce {
  readonly listeners: ReadonlySet<TlsListener>
  readonly contexts: Contexts
  readonly hsts: readonly string[]
}

const none: readonly string[] = []

function inForceOf(settings: TlsSettings): InForce {
  return {
    listeners: new Set(settings.listeners),
    contexts: createContexts(settings),
    hsts: settings.hsts === null ? none : ['Strict-Transport-Security', settings.hsts],
  }
}
