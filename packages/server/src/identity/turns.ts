import { fail, ok, type Result } from '../base/result.ts'

/** Runs at most so many pieces of work at once, lets so many wait, and refuses the rest at once. */
export interface Turns {
  /** `first`: goes before all that are not. Has a waiting room of its own, so that the others cannot fill it. */
  take<Value>(work: () => Promise<Value>, first: boolean): Promise<Result<Value, 'busy'>>
}

export function createTurns(bounds: { readonly runningMax: number; readonly waitingMax: number }): Turns {
  const ahead: (() => void)[] = []
  const behind: (() => void)[] = []
  let running = 0
  const next = (): void => {
    const start = ahead.shift() ?? behind.shift()
    if (start === undefined) running--
    else start()
  }
  const turn = async (first: boolean): Promise<boolean> => {
    if (running < bounds.runningMax) {
      running++
      return true
    }
    const queue = first ? ahead : behind
    if (queue.length >= bounds.waitingMax) return false
    await new Promise<void>((start) => {
      queue.push(start)
    })
    return true
  }
  return {
    take: async (work, first) => {
      if (!(await turn(first))) return fail('busy')
      try {
        return ok(await work())
      } finally {
        next()
      }
    },
  }
}
