import { Command, CommanderError, Help, Option } from 'commander'

import type { Handler, Run } from './command.ts'
import { commands } from './commands/index.ts'
import type { Io } from './io.ts'
import { paintFor } from './output/colour.ts'
import { explanationText } from './output/explanation.ts'
import { holdsSecret, redact } from './secret-shape.ts'
import { exit, Stop, wrongUsage, type Explanation, type ExitCode } from './stop.ts'
import { createTools, type GlobalOptions } from './tools.ts'
import { version } from './version.ts'

/** Runs one command line and answers its exit code. */
export async function runCli(io: Io, args: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = exit.done
  const run: Run =
    <Args extends unknown[]>(handler: Handler<Args>) =>
    async (...given: [...Args, Command]) => {
      const command = given.at(-1)
      if (!(command instanceof Command)) throw new TypeError('commander passes the command last')
      const tools = createTools(io, command.optsWithGlobals<GlobalOptions>())
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- commander passes what the command declares, then the command
      const declared = given.slice(0, -1) as unknown[] as Args
      code = (await handler(tools, ...declared)) ?? exit.done
    }
  const program = buildProgram(io, run)
  try {
    refuseSecrets(args)
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    return report(io, error, args, commandIn(program, args))
  }
}

export function buildProgram(io: Io, run: Run): Command {
  const program = new Command('postern')
    .description('Issue, check, limit, watch and explain every access to your API.')
    .version(version, '-V, --version')
    .option('--json', 'print JSON')
    .option('--verbose', 'show the HTTP exchange, with secrets cut')
    .option('-y, --yes', 'answer yes where a command would ask')
    .option('--plain-http', 'send the management key over plain HTTP to another machine')
    .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'))
    .addHelpText('after', helpText)
    .showSuggestionAfterError(true)
  const settle = (command: Command): void => {
    command.exitOverride()
    command.configureHelp({
      showGlobalOptions: true,
      optionDescription: (option) => withRequired(option, new Help().optionDescription(option)),
    })
    command.configureOutput({ writeOut: io.stdout.write, writeErr: () => undefined })
    for (const child of command.commands) settle(child)
  }
  for (const add of commands) add(program, run)
  settle(program)
  return program
}

const helpText = `
Environment:
  POSTERN_URL              address of the console (default: that of ./postern.yaml, else http://127.0.0.1:8081)
  POSTERN_MANAGEMENT_KEY   management key (default: the key file in the data folder of ./postern.yaml,
                           in ./data or in ./.postern/data)
  NO_COLOR, CLICOLOR, CLICOLOR_FORCE

Exit codes:
  0 done   1 failed   2 wrong usage   3 the answer is no (verify, explain, connection check)
  4 no management key, or it may not do this   5 server not reachable   130 interrupted`

function withRequired({ mandatory }: Option, description: string): string {
  return mandatory ? `${description} (required)` : description
}

/** An argument is seen by everyone on the machine and stays in the shell's history. */
function refuseSecrets(args: readonly string[]): void {
  if (!args.some((arg) => holdsSecret(arg))) return
  throw wrongUsage(
    'A credential was given as an argument',
    'Arguments are seen by every process on this machine and stay in the history of the shell; this one should count as exposed.',
    'npx postern key rotate <id>   then give the new one by standard input or --key-env NAME',
  )
}

function report(io: Io, error: unknown, args: readonly string[], command: Command): ExitCode {
  const paint = paintFor(io.stderr, colourOf(args), io.env)
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exit.done
    io.stderr.write(explanationText(usageExplanation(error, command), paint))
    return exit.usage
  }
  if (error instanceof Stop) {
    io.stderr.write(explanationText(error.explanation, paint))
    return error.code
  }
  const shown =
    error instanceof Error
      ? args.includes('--verbose')
        ? (error.stack ?? error.message)
        : error.message
      : String(error)
  io.stderr.write(
    explanationText(
      {
        what: 'Something went wrong in the program itself',
        why: redact(shown),
        next: 'Run it again with --verbose and report what it says.',
      },
      paint,
    ),
  )
  return exit.failed
}

function colourOf(args: readonly string[]): 'auto' | 'always' | 'never' {
  const given =
    args.find((arg) => arg.startsWith('--color='))?.slice('--color='.length) ?? args[args.indexOf('--color') + 1]
  return args.some((arg) => arg.startsWith('--color')) && (given === 'always' || given === 'never') ? given : 'auto'
}

function usageExplanation(error: CommanderError, command: Command): Explanation {
  const next = `npx ${namesOf(command).join(' ')} --help`
  if (error.code === 'commander.help') {
    const names = command.commands.map((child) => child.name())
    return { what: `Say what ${namesOf(command).join(' ')} is to do`, why: `It takes ${names.join(', ')}.`, next }
  }
  const [what = '', hint] = error.message.replace(/^error: /, '').split('\n')
  return {
    what: redact(what),
    why: redact(hint?.replace(/^\((.*)\)$/, '$1') ?? 'The command line lacks something, or has something too many.'),
    next,
  }
}

/** The command that the words of a command line lead to, as far as they name one. */
function commandIn(program: Command, args: readonly string[]): Command {
  let found = program
  for (const arg of args) found = found.commands.find((child) => child.name() === arg) ?? found
  return found
}

function namesOf(command: Command): readonly string[] {
  return command.parent === null ? [command.name()] : [...namesOf(command.parent), command.name()]
}
