import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { forwardAuthWith } from './support/conformance.ts'
import { programPath } from './support/programs.ts'

forwardAuthWith('Caddy', {
  passesBody: true,
  leavesQueryKey: true,
  start: (folder) => {
    // Its administration would listen on one port for the whole machine.
    const main = join(folder, 'main')
    writeFileSync(main, `{\n\tadmin off\n}\nimport ${join(folder, 'Caddyfile')}\n`)
    return { command: programPath('caddy'), args: ['run', '--config', main, '--adapter', 'caddyfile'] }
  },
})
