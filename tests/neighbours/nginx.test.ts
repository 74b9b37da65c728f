import { forwardAuthWith } from './support/conformance.ts'
import { nginxWith } from './support/nginx.ts'

forwardAuthWith('nginx', { passesBody: false, start: (folder) => nginxWith(folder, 'nginx.conf') })
