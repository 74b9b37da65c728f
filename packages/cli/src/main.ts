#!/usr/bin/env node
import { runCli } from './cli.ts'
import { processIo } from './io.ts'

// A reader that has seen enough, such as head, is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

process.exitCode = await runCli(processIo(), process.argv.slice(2))
