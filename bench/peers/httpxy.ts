import { createServer } from 'node:http'

import { createProxyServer } from 'httpxy'

/** Run as a process of its own, with its port and that of the upstream: forwards, and looks at nothing. */
const [port, upstream] = [Number(process.argv[2]), Number(process.argv[3])]

// Its default agent keeps connections, but only 64 idle ones, which is what the bench uses.
const proxy = createProxyServer({ target: `http://127.0.0.1:${upstream}` })
const server = createServer((request, response) => {
  proxy.web(request, response).catch((error: unknown) => {
    console.error(error)
    response.destroy()
  })
})
server.keepAliveTimeout = 120_000
server.listen(port, '127.0.0.1', () => process.stdout.write('{"ready":true}\n'))
