import { escaped } from '../lib/escape.ts'
import { type FuzzGateway, type Slot, startFuzzGateway } from '../lib/gateway.ts'
import { minimised } from '../lib/minimise.ts'
import { generator } from './generate.ts'
import { type Fault, type Verdict, judge } from './judge.ts'
import { type Case, observe } from './observe.ts'

export interface HeadsOptions {
  readonly seed: number
  readonly count: number
  /** Only this case of the seed. */
  readonly only?: number
  readonly progress: (text: string) => void
}

export interface Failure {
  readonly index: number
  readonly fault: Fault
  /** The smallest case found that still fails so; where it does not fail alone, the case as it was. */
  readonly minimised: string
  readonly alone: boolean
}

export interface HeadsReport {
  readonly cases: number
  readonly forwarded: number
  /** How often each status was the gateway's own answer. */
  readonly refused: ReadonlyMap<number, number>
  readonly failures: readonly Failure[]
}

/** Cases at the same time; each has an API and an upstream to itself. */
const slotCount = 16
const failuresMax = 10

/** Sends generated heads to a gateway in this process and judges what it made of them. */
export async function fuzzHeads({ seed, count, only, progress }: HeadsOptions): Promise<HeadsReport> {
  const gateway = await startFuzzGateway(slotCount)
  const cases = generator(seed, gateway.key)
  const indexes = only === undefined ? Array.from({ length: count }, (_, i) => i) : [only]
  const failed: { index: number; fault: Fault; slot: Slot }[] = []
  const refused = new Map<number, number>()
  let forwarded = 0
  let next = 0
  const work = async (slot: Slot): Promise<void> => {
    for (let at = next++; at < indexes.length && failed.length < failuresMax; at = next++) {
      const index = indexes[at] ?? 0
      const verdict = await run(gateway, slot, cases.case(index))
      forwarded += verdict.forwarded
      for (const status of verdict.refused) refused.set(status, (refused.get(status) ?? 0) + 1)
      if (verdict.fault !== null) failed.push({ index, fault: verdict.fault, slot })
      if ((at + 1) % 5_000 === 0) progress(`${at + 1} cases, ${forwarded} requests forwarded`)
    }
  }
  await Promise.all(gateway.slots.map(work))
  const failures: Failure[] = []
  for (const { index, fault, slot } of failed.toSorted((a, b) => a.index - b.index)) {
    progress(`making case ${index} smaller: ${fault.rule}`)
    failures.push({ index, fault, ...(await smallest(gateway, slot, cases.case(index), fault)) })
  }
  const own = gateway.faults.filter((text) => text.startsWith('gateway.fault'))
  await gateway.close()
  if (own.length > 0)
    failures.push({
      index: -1,
      fault: { rule: 'no fault of our own', detail: own.join('\n') },
      minimised: '',
      alone: false,
    })
  return { cases: Math.min(next, indexes.length), forwarded, refused, failures }
}

async function run(gateway: FuzzGateway, slot: Slot, one: Case): Promise<Verdict> {
  const observation = await observe({ port: slot.port, tls: null }, slot.upstream, one)
  return judge(observation, { identity: gateway.identity(slot) })
}

async function smallest(
  gateway: FuzzGateway,
  slot: Slot,
  one: Case,
  { rule }: Fault,
): Promise<Pick<Failure, 'minimised' | 'alone'>> {
  const fails = async (bytes: string, cuts: readonly number[] = []): Promise<boolean> => {
    await slot.upstream.cut()
    return (await run(gateway, slot, { bytes, cuts })).fault?.rule === rule
  }
  if (await fails(one.bytes)) return { minimised: escaped(await minimised(one.bytes, fails)), alone: true }
  return { minimised: `${escaped(one.bytes)} cut at ${one.cuts.join(', ')}`, alone: await fails(one.bytes, one.cuts) }
}
