import { createServer } from 'node:http'

/** Run as a process of its own: answers 1 KB of JSON, whatever is asked. */
const empty = JSON.stringify({ id: 'o_1', text: '' })
const body = JSON.stringify({ id: 'o_1', text: 'x'.repeat(1_024 - empty.length) })
const server = createServer((request, response) => {
  request.resume()
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body)
})
server.keepAliveTimeout = 120_000
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('{"ready":true}\n'))
