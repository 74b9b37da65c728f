import { type Chance, chanceOf } from '../lib/chance.ts'
import { type Attack, attacks } from './attacks.ts'
import { draftOf, written } from './draft.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { mutateDraft } from './mutate-draft.ts'
import type { Case } from './observe.ts'

/** Cases of a seed: the same number gives the same case, whatever came before it. */
export interface Generator {
  readonly case: (index: number) => Case
}

export function generator(seed: number, key: string): Generator {
  const lines = `Host: shop.test\r\nX-Api-Key: ${key}\r\n`
  const known = attacks(lines, `GET /smuggled HTTP/1.1\r\n${lines}\r\n`)
  return {
    case: (index) => {
      const chance = chanceOf(seed, index)
      let bytes = one(chance, key, known)
      // What stands behind on the same connection: one more that is fine, or one that is not.
      for (let more = chance.in(0.35) ? 1 + chance.below(2) : 0; more > 0; more--) bytes += one(chance, key, known)
      return { bytes, cuts: cutsOf(chance, bytes.length) }
    },
  }
}

function one(chance: Chance, key: string, known: readonly Attack[]): string {
  if (chance.in(0.15)) {
    const attack = known[chance.below(known.length)]?.bytes ?? ''
    return chance.in(0.5) ? attack : mutateBytes(chance, attack)
  }
  const draft = draftOf(chance, key)
  for (let count = chance.pick([0, 0, 1, 1, 1, 2, 3]); count > 0; count--) mutateDraft(chance, draft)
  const bytes = written(draft)
  return chance.in(0.25) ? mutateBytes(chance, bytes) : bytes
}

/** Mostly one write; sometimes several, anywhere. */
function cutsOf(chance: Chance, length: number): readonly number[] {
  if (length < 2 || !chance.in(0.3)) return []
  const cuts = Array.from({ length: 1 + chance.below(4) }, () => 1 + chance.below(length - 1))
  return [...new Set(cuts)].toSorted((a, b) => a - b)
}
