import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { forwardAuthWith } from './support/conformance.ts'
import { programPath } from './support/programs.ts'

const modules = ['mpm_event', 'authz_core', 'headers', 'lua', 'proxy', 'proxy_http']

forwardAuthWith('Apache', {
  passesBody: true,
  script: 'postern-apache.lua',
  start: (folder) => {
    // The file is a site of Debian's apache2.conf; the rest of that file only for a run without root.
    const main = join(folder, 'main.conf')
    writeFileSync(
      main,
      [
        ...modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
        `ServerRoot ${folder}`,
        `PidFile ${join(folder, 'apache.pid')}`,
        'ErrorLog "|/bin/cat"',
        'ServerName localhost',
        // As root Apache insists on children of somebody else, who read the script.
        ...(process.getuid?.() === 0 ? ['User nobody', 'Group nogroup'] : []),
        `Include ${join(folder, 'apache.conf')}`,
      ].join('\n'),
    )
    chmodSync(folder, 0o755)
    return { command: programPath('apache2'), args: ['-D', 'FOREGROUND', '-f', main] }
  },
})
