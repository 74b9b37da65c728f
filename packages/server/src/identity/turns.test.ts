import { describe, expect, it } from 'vitest'

import { ok } from '../base/result.ts'
import { createTurns, type Turns } from './turns.ts'

describe('turns', () => {
  it('run two at once, let two wait, and refuse the next', async () => {
    const world = aWorld()
    const asked = ['a', 'b', 'c', 'd', 'e'].map((name) => world.ask(name, false))
    expect(await asked[4]).toEqual({ ok: false, error: 'busy' })
    expect(world.started).toEqual(['a', 'b'])
    await world.end('b')
    expect(world.started).toEqual(['a', 'b', 'c'])
    await world.end('a', 'c', 'd')
    expect(await Promise.all(asked.slice(0, 4))).toEqual(['a', 'b', 'c', 'd'].map(ok))
  })

  it('let what goes first pass by, even where the others wait in numbers', async () => {
    const world = aWorld()
    const asked = ['a', 'b', 'c', 'd'].map((name) => world.ask(name, false))
    const known = world.ask('known', true)
    await world.end('a')
    expect(world.started).toEqual(['a', 'b', 'known'])
    await world.end('b', 'known', 'c', 'd')
    expect(await known).toEqual(ok('known'))
    await Promise.all(asked)
  })

  it('go on after work that failed', async () => {
    const turns = createTurns({ runningMax: 1, waitingMax: 1 })
    const broken = turns.take(() => Promise.reject(new Error('broken')), false)
    const after = turns.take(() => Promise.resolve('after'), false)
    await expect(broken).rejects.toThrow('broken')
    expect(await after).toEqual(ok('after'))
    expect(await turns.take(() => Promise.resolve('again'), false)).toEqual(ok('again'))
  })
})

function aWorld() {
  const turns: Turns = createTurns({ runningMax: 2, waitingMax: 2 })
  const started: string[] = []
  const ends = new Map<string, () => void>()
  return {
    started,
    ask: (name: string, first: boolean) =>
      turns.take(async () => {
        started.push(name)
        await new Promise<void>((end) => ends.set(name, end))
        return name
      }, first),
    /** Ends them one after the other, each once it has begun. */
    end: async (...names: readonly string[]) => {
      for (const name of names) {
        while (!ends.has(name)) await Promise.resolve()
        ends.get(name)?.()
        for (let turn = 0; turn < 10; turn++) await Promise.resolve()
      }
    },
  }
}
