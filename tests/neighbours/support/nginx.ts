import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { programPath } from './programs.ts'

/**
 * Runs nginx with a file that goes where Debian's nginx.conf includes it; what stands around it is only what a run
 * without root needs.
 */
export function nginxWith(
  folder: string,
  file: string,
): { readonly command: string; readonly args: readonly string[] } {
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
      `include ${join(folder, file)};`,
      '}',
    ].join('\n'),
  )
  return { command: programPath('nginx'), args: ['-p', folder, '-e', 'stderr', '-c', main] }
}
