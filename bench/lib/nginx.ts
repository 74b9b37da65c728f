import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { until } from '../../tests/support/until.ts'

/** One nginx process that forwards everything to the upstream, with kept connections and without a log. */
export async function startNginx(folder: string, port: number, upstream: number): Promise<ChildProcess> {
  const file = join(folder, 'nginx.conf')
  mkdirSync(join(folder, 'logs'))
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/logs/error.log;
    events { worker_connections 1024; }
    http {
      access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
      client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
      uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
      upstream shop { server 127.0.0.1:${upstream}; keepalive 128; keepalive_requests 1000000000; }
      server {
        listen 127.0.0.1:${port};
        location / { proxy_pass http://shop; proxy_http_version 1.1; proxy_set_header Connection ""; }
      }
    }`,
  )
  const child = spawn('nginx', ['-p', folder, '-c', file], { stdio: 'ignore' })
  await until('nginx answers', () => answers(port))
  return child
}

function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/v1/orders/1`).then(
    async (answer) => (await answer.text()) !== '' && answer.ok,
    () => false,
  )
}
