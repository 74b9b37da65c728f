import { loadConfig } from '../../packages/server/src/config/index.ts'
import { formatConfigError } from '../../packages/server/src/config/issue.ts'
import { serve } from '../../packages/server/src/main.ts'

/** The product's own start in a process of its own: configuration file in, server out. */
const loaded = loadConfig({ path: process.argv[2] ?? '', env: process.env })
if (!loaded.ok) throw new Error(loaded.error.map(formatConfigError).join('\n'))
const started = await serve(loaded.value, { env: process.env, watch: true, quiet: false })
if (!started.ok) throw new Error(JSON.stringify(started.error))
process.stdout.write(`${JSON.stringify({ ready: true, made: started.value.madeManagementKey !== null })}\n`)
