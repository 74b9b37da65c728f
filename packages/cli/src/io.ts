import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'

/** Everything outside the program that a command may touch, so that a test can stand in for a terminal. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdout: Sink
  readonly stderr: Sink
  readonly stdinIsTty: boolean
  /** All of standard input. */
  readStdin(): Promise<string>
  /** One line from the person at the terminal. */
  ask(question: string): Promise<string>
  /** Epoch milliseconds. */
  now(): number
  sleep(ms: number): Promise<void>
  /** Calls back on Ctrl-C or when the process is asked to end. */
  onEnd(ended: (signal: 'SIGINT' | 'SIGTERM') => void): void
}

export interface Sink {
  readonly isTty: boolean
  /** Characters in a line; nothing is cut to it where this is no terminal. */
  readonly columns: number
  readonly write: (text: string) => void
}

export function processIo(): Io {
  return {
    env: process.env,
    cwd: process.cwd(),
    stdout: sink(process.stdout),
    stderr: sink(process.stderr),
    stdinIsTty: process.stdin.isTTY,
    readStdin: async () => await text(process.stdin),
    ask: async (question) => {
      const lines = createInterface({ input: process.stdin, output: process.stderr })
      try {
        return await lines.question(question)
      } finally {
        lines.close()
      }
    },
    now: () => Date.now(),
    sleep: async (ms) => await delay(ms),
    onEnd: (ended) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended(signal))
    },
  }
}

function sink(stream: NodeJS.WriteStream): Sink {
  return {
    isTty: stream.isTTY,
    columns: stream.columns ?? 80,
    write: (chunk) => void stream.write(chunk),
  }
}
