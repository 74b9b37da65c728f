import { executionAsyncResource } from 'node:async_hooks'

let held: object | null = null

/**
 * Keeps one object of those that `process.nextTick` makes, for the life of the process; to be called before anything
 * else. V8 forgets a form of objects once none is left, and a collection between two turns of the loop leaves none
 * of these. `nextTick` then stays several times slower than before, and the streams of each request call it often.
 */
export function keepTicksFast(): void {
  process.nextTick(() => {
    held ??= executionAsyncResource()
  })
}
