import type { Command } from 'commander'

import type { ExitCode } from './stop.ts'
import type { Tools } from './tools.ts'

/** Wraps what a command does: it gets the tools first, then the arguments and options that it declares. */
export type Run = <Args extends unknown[]>(handler: Handler<Args>) => (...args: [...Args, Command]) => Promise<void>

export type Handler<Args extends unknown[]> = (
  tools: Tools,
  ...args: Args
) => Promise<ExitCode | undefined> | ExitCode | undefined

/** Adds one command, with its subcommands, to the program. */
export type AddCommand = (program: Command, run: Run) => void
