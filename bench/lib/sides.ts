import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { pause } from '../../tests/support/until.ts'
import { type Cpu, cpuOf, pin } from './processes.ts'
import { median } from './stats.ts'

export const connections = 64

/** Servers are compared by what a request costs them: each has one core, clients and upstream have the other. */
export const serverCore = 0
export const clientCore = 1

/** Log and counts are written within the second after their requests. */
export const settleMs = 1_300
const idleMs = 5_000
/** Requests to one side before it is the next one's turn: what disturbs the machine then disturbs all sides alike. */
export const slice = 1_000

/** One server of a comparison and the process that sends requests to it. */
export interface Side {
  readonly name: string
  readonly pid: number
  readonly load: ChildProcess
  /** Requests in its turn, where it is so slow that it gets fewer than a whole slice. */
  readonly slice: number
  /** No request was answered any more. */
  readonly ended: Promise<readonly [number]>
}

export interface Target {
  readonly name: string
  readonly pid: number
  readonly port: number
  /** A whole HTTP/1.1 request as it is written to the socket, again and again. */
  readonly request: string
  readonly slice?: number
}

export function makeSide({ name, pid, port, request, slice: own = slice }: Target): Side {
  const load = fork(join(import.meta.dirname, 'load-process.ts'), [String(port), String(connections), request])
  return { name, pid, load, slice: own, ended: once(load, 'exit').then(() => [0]) }
}

/** False where this system cannot do it. A server that is waited for then works in the same steps as all others. */
export function pinSides(sides: readonly Side[], origin: ChildProcess | null): boolean {
  const clients = [...sides.map(({ load }) => load), ...(origin === null ? [] : [origin])]
  for (const { pid = 0 } of clients) pin(pid, clientCore)
  return sides.map(({ pid }) => pin(pid, serverCore)).every(Boolean)
}

/** What every side costs in one round, in CPU microseconds a request. */
export type Round = Readonly<Record<string, Cpu>>

export interface Plan {
  readonly rounds: number
  /** Slices of every side in a round. */
  readonly slices: number
  readonly warmUpSlices: number
}

export async function measure(
  sides: readonly Side[],
  { rounds, slices, warmUpSlices }: Plan,
  progress: (text: string) => void,
): Promise<readonly Round[]> {
  progress('warming up')
  await sendAll(sides, warmUpSlices)
  const idle = await usedBy(sides, () => pause(idleMs))
  const measured: Round[] = []
  for (let round = 0; round < rounds; round++) {
    if (round % 5 === 0) progress(`round ${round + 1} of ${rounds}`)
    const used = await usedBy(sides, () => sendAll(sides, slices))
    const share = used.ms / idle.ms
    const costOf = ({ name, slice: own }: Side, part: keyof Cpu) =>
      ((used.cpu[name]?.[part] ?? 0) - (idle.cpu[name]?.[part] ?? 0) * share) / (slices * own)
    measured.push(
      Object.fromEntries(sides.map((side) => [side.name, { all: costOf(side, 'all'), main: costOf(side, 'main') }])),
    )
  }
  return measured
}

/** That many slices to each side in turns; every other time backwards, so that nobody is always first. */
async function sendAll(sides: readonly Side[], slices: number): Promise<void> {
  for (let sent = 0; sent < slices; sent++)
    for (const side of sent % 2 === 0 ? sides : sides.toReversed()) await send(side)
  await pause(settleMs)
}

/** CPU of every side's process during the work, and how long that took. */
async function usedBy(
  sides: readonly Side[],
  work: () => Promise<void>,
): Promise<{ readonly cpu: Round; readonly ms: number }> {
  const start = performance.now()
  const before = sides.map(({ pid }) => cpuOf(pid))
  await work()
  const after = sides.map(({ pid }) => cpuOf(pid))
  const used = (i: number, part: keyof Cpu) => (after[i]?.[part] ?? 0) - (before[i]?.[part] ?? 0)
  const cpu = Object.fromEntries(sides.map(({ name }, i) => [name, { all: used(i, 'all'), main: used(i, 'main') }]))
  return { cpu, ms: performance.now() - start }
}

async function send({ name, load, slice: requests, ended }: Side): Promise<void> {
  const answered = once(load, 'message')
  load.send(requests)
  const [good] = await Promise.race([answered, ended])
  if (good !== requests)
    throw new Error(`${name}: ${requests - Number(good)} of ${requests} were not answered with 200`)
}

// ---- what the rounds say ---------------------------------------------------------------------------------

/** CPU of one side over that of another, round by round: both were measured in the same minute. */
export function ratios(rounds: readonly Round[], of: string, over: string): readonly number[] {
  return rounds.map((round) => (round[of]?.all ?? Number.NaN) / (round[over]?.all ?? Number.NaN))
}

/** How far two processes of the same program are apart in the median round: no ratio says more than that. */
export function spread(rounds: readonly Round[], one: string, other: string): number {
  return median(ratios(rounds, other, one).map((ratio) => Math.abs(ratio - 1)))
}

export function cost(rounds: readonly Round[], name: string, part: keyof Cpu): number {
  return median(rounds.map((round) => round[name]?.[part] ?? Number.NaN))
}
