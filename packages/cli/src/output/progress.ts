import type { Io } from '../io.ts'
import type { Paint } from './colour.ts'

/** A bar on standard error; silent where nobody watches. */
export interface Progress {
  update(done: number, total: number): void
  end(): void
}

export function createProgress(io: Io, label: string, paint: Paint): Progress {
  if (!io.stderr.isTty) return { update: () => undefined, end: () => undefined }
  const startedAt = io.now()
  let shown = ''
  return {
    update: (done, total) => {
      const line = bar(label, done, total, io.now() - startedAt, paint)
      if (line === shown) return
      shown = line
      io.stderr.write(`\r\u001b[2K${line}`)
    },
    end: () => {
      if (shown !== '') io.stderr.write('\n')
      shown = ''
    },
  }
}

const cells = 30

function bar(label: string, done: number, total: number, elapsedMs: number, paint: Paint): string {
  const part = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.round(part * cells)
  const left =
    part > 0 && part < 1 && elapsedMs > 1_000 ? `  ${Math.ceil((elapsedMs / part - elapsedMs) / 1_000)} s left` : ''
  const drawn = paint('cyan', '█'.repeat(filled)) + paint('dim', '░'.repeat(cells - filled))
  return `${label}  ${drawn} ${String(Math.floor(part * 100)).padStart(3)} %  ${done} of ${total}${left}`
}
