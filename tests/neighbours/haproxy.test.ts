import { join } from 'node:path'

import { forwardAuthWith } from './support/conformance.ts'
import { programPath } from './support/programs.ts'

forwardAuthWith('HAProxy', {
  passesBody: true,
  script: 'postern-haproxy.lua',
  start: (folder) => ({ command: programPath('haproxy'), args: ['-db', '-f', join(folder, 'haproxy.cfg')] }),
})
