import type { Output } from '../output/output.ts'
import { version } from '../version.ts'
import type { DemoGroup } from './lines.ts'
import { demoFolder, type DemoPorts } from './ports.ts'
import { stateFile } from './state.ts'

/** Everything that a newcomer needs, ready to paste. */
export function printDemo(
  out: Output,
  shown: {
    readonly ports: DemoPorts
    readonly groups: readonly DemoGroup[]
    readonly notes: readonly string[]
    readonly readyMs: number
  },
): void {
  const { paint } = out
  const { ports, groups, notes, readyMs } = shown
  const about: readonly (readonly [string, string])[] = [
    ['console', `http://127.0.0.1:${ports.console}   reference of its API: http://127.0.0.1:${ports.console}/api/docs`],
    ['ops', `http://127.0.0.1:${ports.ops}`],
    ['data', `${demoFolder}/   stays; delete the folder to begin anew`],
    [
      'secrets',
      `${demoFolder}/data/${stateFile} holds those below in clear (mode 0600), so that the lines stay the same`,
    ],
    ...notes.map((note) => ['note', note] as const),
  ]
  // All that is no command is a comment, so that the whole of it can be pasted.
  out.line(
    `# ${paint('bold', `postern ${version}`)}  demonstration, ready in ${(readyMs / 1_000).toFixed(1)} s; everything is on 127.0.0.1`,
  )
  for (const [label, text] of about)
    out.line(`#   ${paint(label === 'note' ? 'yellow' : 'dim', label.padEnd(7))}  ${text}`)
  for (const { title, about: what, lines } of groups) {
    out.line('')
    out.line(`# ${paint(['bold', 'cyan'], title)}  ${paint('dim', what)}`)
    for (const { command, answer } of lines) out.line(`${command}  ${paint(colourOf(answer), `# ${answer}`)}`)
  }
  out.line('')
  out.line(paint('dim', '# Ctrl-C stops it.'))
}

function colourOf(answer: string): 'green' | 'red' | 'yellow' {
  if (answer === '200' || answer === 'exit 0') return 'green'
  return answer.startsWith('exit') ? 'yellow' : 'red'
}
