import type { AddCommand } from '../command.ts'
import { checks } from '../doctor/checks.ts'
import type { Finding } from '../doctor/finding.ts'
import { exit, type ExitCode } from '../stop.ts'
import type { Tools } from '../tools.ts'

/** `postern doctor`: is all well here? Exit code 1 where it is not. */
export const doctor: AddCommand = (program, run) => {
  program.command('doctor').description('check the machine, the folders and the server').action(run(examine))
}

async function examine(tools: Tools): Promise<ExitCode> {
  const findings: Finding[] = []
  for (const check of checks) findings.push(...(await check(tools)))
  const { out } = tools
  out.table(
    [
      { header: 'RESULT', value: ({ result }: Finding) => result, style: ({ result }) => style[result] },
      { header: 'CHECK', value: ({ check }) => check },
      { header: 'FOUND', value: ({ found }) => found },
    ],
    findings,
    '',
  )
  const failed = findings.filter(({ result }) => result === 'FAIL')
  for (const { check, next } of failed) out.note(`${check}: ${next}`)
  return failed.length > 0 ? exit.failed : exit.done
}

const style = { ok: 'green', FAIL: 'red', note: 'yellow' } as const
