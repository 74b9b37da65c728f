import type { Io } from '../io.ts'

export interface TestIo extends Io {
  readonly printed: { readonly out: () => string; readonly err: () => string }
}

/** A terminal, or a pipe, that remembers what was written to it. */
export function testIo(options: {
  readonly tty?: boolean
  readonly env?: Io['env']
  readonly cwd?: string
  readonly stdin?: string
  readonly answers?: readonly string[]
  readonly now?: number
}): TestIo {
  const tty = options.tty === true
  const answers = [...(options.answers ?? [])]
  let [out, err] = ['', '']
  return {
    env: options.env ?? {},
    cwd: options.cwd ?? '/nowhere',
    stdout: { isTty: tty, columns: 80, write: (text) => void (out += text) },
    stderr: { isTty: tty, columns: 80, write: (text) => void (err += text) },
    stdinIsTty: tty,
    readStdin: async () => await Promise.resolve(options.stdin ?? ''),
    ask: async (question) => {
      err += question
      return await Promise.resolve(answers.shift() ?? '')
    },
    now: () => options.now ?? 1_750_000_000_000,
    sleep: async () => await Promise.resolve(),
    onEnd: () => undefined,
    printed: { out: () => out, err: () => err },
  }
}
