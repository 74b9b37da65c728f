import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { AddCommand } from '../command.ts'
import { exit, Stop } from '../stop.ts'
import type { Tools } from '../tools.ts'

/** `postern init`: writes a commented postern.yaml and .env.example; overwrites nothing. */
export const init: AddCommand = (program, run) => {
  program.command('init').description('write a commented postern.yaml and .env.example here').action(run(write))
}

async function write({ io, out }: Tools): Promise<undefined> {
  const { initTemplate } = await import('@postern/server')
  const written: string[] = []
  for (const [name, text] of [
    ['postern.yaml', initTemplate()],
    ['.env.example', envExample],
  ] as const) {
    const path = join(io.cwd, name)
    if (existsSync(path)) {
      out.note(`kept     ${name}: it is there already`)
      continue
    }
    writeFileSync(path, text, { flag: 'wx' })
    written.push(name)
    out.note(`written  ${name}`)
  }
  if (!written.includes('postern.yaml')) {
    throw new Stop(exit.failed, {
      what: 'postern.yaml was not written',
      why: 'One is here already, and init never overwrites.',
      next: 'npx postern config check   (or move it away and run init again)',
    })
  }
  for (const line of next) out.note(line)
  return undefined
}

const next = [
  '',
  'Next:',
  '  1. put your API under "apis" in postern.yaml',
  '  2. npx postern config check',
  '  3. npx postern start',
]

const envExample = `# Variables that Postern and its command line read. Nothing reads this file by itself: copy it to .env, keep that out
# of version control, and load it into the shell or the service with:  set -a; . ./.env; set +a

# The first management credential, at least 32 characters. Without it one is made at the first start,
# shown once on the terminal and kept in the data folder.
# POSTERN_MANAGEMENT_KEY=

# Where the command line finds the console. Without it: where the postern.yaml of the working directory puts it.
# POSTERN_URL=http://127.0.0.1:8081

# Variables of your own that postern.yaml names as \${NAME}.
# DATABASE_URL=postgres://user:password@host/postern
`
