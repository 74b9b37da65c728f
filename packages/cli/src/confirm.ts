import { exit, Stop, wrongUsage } from './stop.ts'
import type { Tools } from './tools.ts'

/** Before what cannot be undone: the person types the name of the thing; without a terminal only `--yes` counts. */
export async function confirm(tools: Tools, question: string, name: string): Promise<void> {
  const { io, options, out } = tools
  if (options.yes === true) return
  if (!io.stdinIsTty || !io.stderr.isTty) {
    throw wrongUsage('This needs a yes', `${question} Nobody can be asked here.`, 'Run it again with --yes.')
  }
  out.note(question)
  const typed = await io.ask(`Type ${out.paintNote('bold', name)} to go on: `)
  if (typed.trim() === name) return
  throw new Stop(exit.failed, {
    what: 'Nothing was changed',
    why: 'The name did not match.',
    next: 'Run it again, or leave it.',
  })
}
