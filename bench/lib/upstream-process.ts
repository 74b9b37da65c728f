import { createServer } from 'node:http'

/** Run as a process of its own: answers 1 KB of JSON, whatever is asked. */
const body = JSON.stringify({ id: 'o_1', text: 'x'.repeat(1_000) })
const server = createServer((request, response) => {
  request.resume()
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
})
server.keepAliveTimeout = 120_000
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('{"ready":true}\n'))
