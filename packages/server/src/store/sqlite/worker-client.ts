import { Worker } from 'node:worker_threads'

import { StoreUnavailable } from '../../core/store.ts'
import { fromWire, type Call, type Reply } from './messages.ts'

/** The main thread's end of a worker: named calls, each answered once. */
export interface WorkerClient {
  call(name: string, input: unknown, onProgress?: (progress: unknown) => void): Promise<unknown>
  close(): Promise<void>
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly onProgress: ((progress: unknown) => void) | undefined
}

/** `file` is the worker's name beside this module, without its ending. */
export function startWorker(file: string, workerData: unknown): WorkerClient {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const worker = new Worker(new URL(`./${file}.${ending}`, import.meta.url), { workerData, execArgv: [] })
  const pending = new Map<number, Pending>()
  let nextId = 1
  let gone: Error | null = null

  const end = (reason: string, cause?: unknown) => {
    gone ??= new StoreUnavailable(reason, { cause })
    for (const { reject } of pending.values()) reject(gone)
    pending.clear()
  }
  worker.on('message', (reply: Reply) => {
    const waiting = pending.get(reply.id)
    if (waiting === undefined) return
    if ('progress' in reply) {
      waiting.onProgress?.(reply.progress)
      return
    }
    pending.delete(reply.id)
    if ('error' in reply) waiting.reject(fromWire(reply.error))
    else waiting.resolve(reply.value)
  })
  worker.on('error', (error) => end(`the store's ${file} failed`, error))
  worker.on('exit', () => end(`the store's ${file} has ended`))
  worker.unref()

  const call: WorkerClient['call'] = (name, input, onProgress) =>
    new Promise((resolve, reject) => {
      if (gone !== null) {
        reject(gone)
        return
      }
      const id = nextId++
      // A pending call keeps the process alive, an idle worker does not.
      if (pending.size === 0) worker.ref()
      const settled = () => {
        if (pending.size === 0) worker.unref()
      }
      pending.set(id, {
        resolve: (value) => (settled(), resolve(value)),
        reject: (error) => (settled(), reject(error)),
        onProgress,
      })
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
      worker.postMessage({ id, name, input } satisfies Call)
    })
  return {
    call,
    close: async () => {
      if (gone === null) await call('close', undefined)
      gone ??= new StoreUnavailable('the store is closed')
      await worker.terminate()
    },
  }
}
