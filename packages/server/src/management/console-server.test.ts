import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'

import { describe, expect, it, onTestFinished } from 'vitest'

import { createConsoleServer } from './console-server.ts'

const notOurs = (): boolean => false

describe('the console’s listener (pitfall 21)', () => {
  it.each([
    ['says nothing', ''],
    ['sends half a head', 'GET / HTTP/1.1\r\nHost: a\r\n'],
  ])('ends within a second of its time a connection that %s', async (_what, text) => {
    const server = createConsoleServer({}, notOurs, 200)((_req, res) => void res.end(), {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const began = performance.now()
    // A TCP address has a port.
    const { port } = server.address() as AddressInfo
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(text)).resume()
    await once(socket, 'close')
    expect(performance.now() - began).toBeLessThan(2_000)
  })

  it('takes so many connections and no more: each is a file of the whole process', () => {
    expect(createConsoleServer({}, notOurs)((_req, res) => void res.end(), {}).maxConnections).toBe(4_096)
  })
})
