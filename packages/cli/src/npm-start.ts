import { existsSync } from 'node:fs'

import { runCli } from './cli.ts'
import { processIo } from './io.ts'

/** `npm start`: the server where there is a postern.yaml, the demonstration where there is none. */
const command = existsSync('postern.yaml') ? 'start' : 'dev'
process.exitCode = await runCli(processIo(), [command, ...process.argv.slice(2)])
