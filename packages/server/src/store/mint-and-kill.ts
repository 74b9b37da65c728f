import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { expect } from 'vitest'

import type { Store } from '../core/store.ts'
import { by, must } from './conformance-data.ts'
import { graceMs } from './conformance-token-data.ts'

/** What processes acknowledged before they were killed, by digest in hex. */
export interface Acknowledged {
  readonly minted: readonly string[]
  readonly revoked: readonly string[]
  /** From each refresh token that was spent to the one that took its place. */
  readonly rotated: ReadonlyMap<string, string>
}

/** Kills `mint-until-killed.ts` with -9 in the midst of it, so many times, each time later. */
export async function mintAndKill(url: string, dataFolder: string, rounds: number): Promise<Acknowledged> {
  const script = fileURLToPath(new URL('mint-until-killed.ts', import.meta.url))
  const lines: string[] = []
  for (let round = 0; round < rounds; round++) {
    const child = spawn(process.execPath, [script, url, dataFolder], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (part: Buffer) => {
      said += part.toString()
      if (said.split('\n').length > 60 + round * 7) child.kill('SIGKILL')
    })
    await once(child, 'close')
    // A line that was cut short was never said.
    lines.push(...said.split('\n').slice(0, -1))
  }
  const of = (sign: string) => lines.filter((line) => line.startsWith(sign)).map((line) => line.slice(2))
  return {
    minted: of('+'),
    revoked: of('-'),
    rotated: new Map(of('>').map((line): [string, string] => [line.slice(0, 64), line.slice(65)])),
  }
}

/** No answered token is lost, no revoked one alive, no refresh token usable twice, and the newest of each once. */
export async function expectKept(store: Store, { minted, revoked, rotated }: Acknowledged): Promise<void> {
  const dead = new Set(revoked)
  for (const hex of minted) {
    const found = await store.tokens.byDigest({ digest: Buffer.from(hex, 'hex') })
    expect(found).not.toBeNull()
    if (dead.has(hex)) expect(found?.token.revoked).toBe(true)
  }
  const rotate = async (hex: string) =>
    must(await store.tokens.rotateRefresh({ digest: Buffer.from(hex, 'hex'), successors: [], graceMs, by })).value
  for (const [spent, next] of rotated) {
    expect(await rotate(spent)).toBe('raced')
    if (rotated.has(next)) continue
    // The newest that was answered: unspent, or spent by a rotation whose answer was lost.
    const first = await rotate(next)
    expect(['rotated', 'raced']).toContain(first)
    expect(await rotate(next)).toBe('raced')
  }
}
