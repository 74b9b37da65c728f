import { loadConfig, formatConfigError } from '../../packages/server/src/config/index.ts'
import { serve } from '../../packages/server/src/main.ts'

/**
 * Run as a process of its own, with --expose-gc: the server. It collects when it is asked to, by a message, which it
 * answers with its memory, or by SIGUSR2.
 */
const loaded = loadConfig({ path: process.argv[2] ?? '', env: process.env })
if (!loaded.ok) throw new Error(loaded.error.map(formatConfigError).join('\n'))
const started = await serve(loaded.value, { env: process.env, watch: false, quiet: false })
if (!started.ok) throw new Error(JSON.stringify(started.error))

process.on('message', () => whenCollected(() => process.send?.(process.memoryUsage.rss())))
process.on('SIGUSR2', () => whenCollected(() => {}))
process.stdout.write('{"ready":true}\n')

function whenCollected(then: () => void): void {
  collect().then(then, (error: unknown) => {
    throw error
  })
}

/** A few times with time between, because the allocator gives pages back a little later than they are freed. */
async function collect(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
