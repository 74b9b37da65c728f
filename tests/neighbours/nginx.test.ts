import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { forwardAuthWith } from './support/conformance.ts'
import { programPath } from './support/programs.ts'

forwardAuthWith('nginx', {
  passesBody: false,
  start: (folder) => {
    // The file goes where Debian's nginx.conf includes it; the rest of that file only for a run without root.
    const main = join(folder, 'main.conf')
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    writeFileSync(
      main,
      [
        'daemon off; master_process off; worker_processes 1;',
        `pid ${join(folder, 'nginx.pid')};`,
        'error_log stderr warn;',
        'events {}',
        'http {',
        'access_log off;',
        ...temporary.map((name) => `${name}_temp_path ${join(folder, name)};`),
        `include ${join(folder, 'nginx.conf')};`,
        '}',
      ].join('\n'),
    )
    return { command: programPath('nginx'), args: ['-p', folder, '-e', 'stderr', '-c', main] }
  },
})
