import type { Clock } from '../base/clock.ts'
import { ipBucket, type Ip } from '../base/ip.ts'
import { charged, type Gcra, gcraOf, waitMs } from '../core/limits/gcra.ts'
import { BoundedTats } from '../core/limits/tats.ts'
import { createDelays } from './delays.ts'

const minuteMs = 60_000
const keysMax = 50_000

/** Failures of one IPv4 address or /64, whatever it tries. */
const perPeer = gcraOf({ requests: 60, windowMs: 10 * minuteMs, burst: 60 })
/** Failures on one e-mail address from browsers that nobody knows, wherever they are. */
const perEmail = gcraOf({ requests: 1, windowMs: 2 * minuteMs, burst: 30 })
/** Failures of a browser in which that person has signed in before. */
const perDevice = gcraOf({ requests: 1, windowMs: minuteMs, burst: 10 })
/** Wrong codes after a right password: about 100 a day, of a million codes of which three are right. */
const perFactor = gcraOf({ requests: 1, windowMs: 15 * minuteMs, burst: 10 })
const perDeviceFactor = gcraOf({ requests: 1, windowMs: 10 * minuteMs, burst: 10 })
/** Links that nobody was given, of one peer. */
const perPeerLinks = gcraOf({ requests: 1, windowMs: minuteMs / 2, burst: 20 })

interface PasswordAttempt {
  readonly email: string
  readonly ip: Ip
  /** Id of the browser, where this person has signed in with it before. */
  readonly device: string | null
  /** A code of the second factor came with the password. */
  readonly withFactor: boolean
}

/** An attempt that may go on has been counted as a failure; `right` takes that back. */
export type Gate =
  | { readonly kind: 'open'; readonly known: boolean; right(): void }
  | { readonly kind: 'wait'; readonly ms: number }
  /** The address is being guessed at: from an unknown browser the password is looked at only together with a code. */
  | { readonly kind: 'factor_needed' }

/**
 * What keeps passwords, codes and links from being guessed, in the memory of this node; n nodes allow n times as much.
 * Nobody can lock somebody else out: what strangers do to an address stops neither a browser in which that person
 * has signed in before, nor the right password together with the right code. Addresses that nobody has are counted
 * as all others, so that the counters tell nothing.
 */
export interface Attempts {
  password(attempt: PasswordAttempt): Gate
  /** After a right password. `device` as above. */
  factor(attempt: { readonly user: string; readonly device: string | null }): Gate
  /** Before a link is looked up; `right` where there is one. */
  link(ip: Ip): Gate
}

export function createAttempts(clock: Clock): Attempts {
  const delays = createDelays({ keysMax, clock })
  const peers = createBudget<Ip>(perPeer, clock)
  const emails = createBudget<string>(perEmail, clock)
  const devices = createBudget<string>(perDevice, clock)
  const factors = createBudget<string>(perFactor, clock)
  const deviceFactors = createBudget<string>(perDeviceFactor, clock)
  const links = createBudget<Ip>(perPeerLinks, clock)

  const unknownBrowser = ({ email, ip, withFactor }: PasswordAttempt): Gate => {
    const peer = ipBucket(ip)
    const pair = `${peer} ${email}`
    const ms = Math.max(peers.waitMs(peer), delays.waitMs(pair))
    if (ms > 0) return { kind: 'wait', ms }
    if (emails.waitMs(email) > 0) {
      if (!withFactor) return { kind: 'factor_needed' }
    } else emails.take(email)
    peers.take(peer)
    delays.lengthen(pair)
    return {
      kind: 'open',
      known: false,
      right: () => {
        emails.give(email)
        peers.give(peer)
        delays.forget(pair)
      },
    }
  }
  return {
    password: (attempt) => taken(devices, attempt.device, true) ?? unknownBrowser(attempt),
    factor: ({ user, device }) => {
      const known = taken(deviceFactors, device, true)
      return known ?? taken(factors, user, false) ?? { kind: 'wait', ms: factors.waitMs(user) }
    },
    link: (ip) => {
      const peer = ipBucket(ip)
      return taken(links, peer, false) ?? { kind: 'wait', ms: links.waitMs(peer) }
    },
  }
}

function taken<Key>(budget: Budget<Key>, key: Key | null, known: boolean): Gate | null {
  if (key === null || budget.waitMs(key) > 0) return null
  budget.take(key)
  return { kind: 'open', known, right: () => budget.give(key) }
}

interface Budget<Key> {
  waitMs(key: Key): number
  take(key: Key): void
  give(key: Key): void
}

function createBudget<Key>(gcra: Gcra, clock: Clock): Budget<Key> {
  const tats = new BoundedTats<Key>(keysMax)
  return {
    waitMs: (key) => Math.max(0, waitMs(tats.get(key), clock.monotonic(), 1, gcra)),
    take: (key) => tats.set(key, charged(tats.get(key), clock.monotonic(), 1, gcra)),
    give: (key) => tats.set(key, Math.max(0, tats.get(key) - gcra.intervalMs)),
  }
}
