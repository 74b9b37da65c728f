import { loadConfig, formatConfigError } from '../../packages/server/src/config/index.ts'
import { serve } from '../../packages/server/src/main.ts'

/** Run as a process of its own: the server, and its memory after a forced collection when it is asked. */
const loaded = loadConfig({ path: process.argv[2] ?? '', env: process.env })
if (!loaded.ok) throw new Error(loaded.error.map(formatConfigError).join('\n'))
const started = await serve(loaded.value, { env: process.env, watch: false, quiet: true })
if (!started.ok) throw new Error(JSON.stringify(started.error))

process.on('message', () => {
  collect().then(
    () => process.send?.(process.memoryUsage.rss()),
    (error: unknown) => {
      throw error
    },
  )
})

/** A few times with time between, because the allocator gives pages back a little later than they are freed. */
async function collect(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
