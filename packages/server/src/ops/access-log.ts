import type { Clock } from '../base/clock.ts'
import { formatIp } from '../base/ip.ts'
import { traceIdOf } from '../core/decision/trace-context.ts'
import type { MeterEntry } from '../core/usage/meter-entry.ts'
import { outcomeOf } from '../core/usage/outcomes.ts'
import { shownPath, shownUserAgent } from '../core/usage/shown.ts'
import { type LineWriter, createLineWriter } from './line-writer.ts'

/** Where the lines go, and how many of them. */
export interface AccessLogSettings {
  /** Absolute path; null: standard output. */
  readonly file: string | null
  /** Of answers below 500 to allowed requests one in so many is written; of all others every one. */
  readonly oneIn: number
}

/** Who took the request. */
export type Via = 'gateway' | 'forward_auth'

/** One JSON line for each request that has ended: no query, no header values but the user agent, no credential. */
export interface AccessLog {
  /**
   * Puts settings into force; the file is opened anew, so that one that was moved away is made again. Throws, and
   * changes nothing, where it cannot be opened.
   */
  use(settings: AccessLogSettings | null): void
  ended(entry: MeterEntry, via: Via): void
  readonly dropped: number
  close(): Promise<void>
}

export function createAccessLog(parts: {
  readonly clock: Clock
  readonly onFault: (error: unknown) => void
}): AccessLog {
  const atOf = createInstants()
  const closing = new Set<Promise<void>>()
  let writer: LineWriter | null = null
  let oneIn = 1
  let passed = 0
  let droppedBefore = 0
  const retire = (old: LineWriter | null): void => {
    if (old === null) return
    droppedBefore += old.dropped
    const ended = old.close().finally(() => closing.delete(ended))
    closing.add(ended)
  }
  return {
    use: (settings) => {
      const next = settings === null ? null : createLineWriter({ ...parts, file: settings.file })
      retire(writer)
      writer = next
      oneIn = settings?.oneIn ?? 1
    },
    ended: (entry, via) => {
      if (writer === null) return
      const ordinary = entry.evaluation.allowed && entry.ended === 'answered' && entry.status < 500
      if (ordinary && passed++ % oneIn !== 0) return
      writer.write(lineOf(entry, via, atOf(entry.facts.now)))
    },
    get dropped() {
      return droppedBefore + (writer?.dropped ?? 0)
    },
    close: async () => {
      retire(writer)
      writer = null
      await Promise.all(closing)
    },
  }
}

/** Written by hand: a serializer would cost more than the decision. Names and order are for people to rely on. */
function lineOf(entry: MeterEntry, via: Via, at: string): string {
  const { evaluation, facts } = entry
  const { api, route, principal, refusal } = evaluation
  const upstream = entry.upstreamMs === null ? 'null' : milliseconds(entry.upstreamMs)
  return (
    `{"at":"${at}","id":"${entry.requestId}","via":"${via}","method":${quoted(facts.method)}` +
    `,"path":${quoted(shownPath(evaluation, facts))},"status":${entry.status},"outcome":"${outcomeOf(entry)}"` +
    `,"code":${refusal === null ? 'null' : `"${refusal.code}"`}` +
    `,"api":${quoted(api?.id)},"route":${quoted(route?.id)},"account":${quoted(principal?.account)}` +
    `,"project":${quoted(principal?.project)},"credential":${quoted(principal?.credential)}` +
    `,"ip":"${formatIp(evaluation.clientIp)}","user_agent":${quoted(shownUserAgent(evaluation, facts))}` +
    `,"ms":${milliseconds(entry.latencyMs)},"upstream_ms":${upstream}` +
    `,"received":${entry.received},"sent":${entry.sent},"trace_id":${quoted(traceIdOf(facts.headers))}}\n`
  )
}

function quoted(text: string | null | undefined): string {
  if (text === null || text === undefined) return 'null'
  return plain.test(text) ? `"${text}"` : JSON.stringify(text)
}

/** What stands in JSON as it is. */
const plain = /^[ !#-[\]-~]*$/

function milliseconds(ms: number): string {
  return String(Math.round(ms * 100) / 100)
}

/** Instants as text (RFC 3339); most requests come in the second of the one before. */
function createInstants(): (ms: number) => string {
  let second = Number.NaN
  let prefix = ''
  return (ms) => {
    const whole = Math.floor(ms / 1000)
    if (whole !== second) {
      second = whole
      prefix = new Date(whole * 1000).toISOString().slice(0, 20)
    }
    return `${prefix}${String(Math.floor(ms) - whole * 1000).padStart(3, '0')}Z`
  }
}
