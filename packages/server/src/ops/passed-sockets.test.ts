import { describe, expect, it } from 'vitest'

import { noPassedSockets, passedSockets } from './passed-sockets.ts'

const env = (count: number | string, names?: string) => ({
  LISTEN_PID: '42',
  LISTEN_FDS: String(count),
  ...(names !== undefined && { LISTEN_FDNAMES: names }),
})

describe('sockets that were passed', () => {
  it('are found by their names, from descriptor 3 on', () => {
    expect(passedSockets(env(4, 'ops:9001:gateway:console'), 42)).toEqual({
      ok: true,
      value: { gateway: 5, console: 6, ops: 3, forwardAuth: null, own: new Map([[9001, 4]]) },
    })
  })

  it('are gateway, console and ops in this order where they have no names', () => {
    expect(passedSockets(env(2), 42)).toEqual({
      ok: true,
      value: { gateway: 3, console: 4, ops: null, forwardAuth: null, own: new Map() },
    })
  })

  it('are none where they are meant for another process, or there are none', () => {
    for (const [given, pid] of [
      [env(1, 'gateway'), 43],
      [{ LISTEN_FDS: '1' }, 42],
      [{ LISTEN_PID: '42' }, 42],
      [env(0), 42],
      [{}, 42],
    ] as const) {
      expect(passedSockets(given, pid)).toEqual({ ok: true, value: noPassedSockets })
    }
  })

  it.each([
    [env('x'), 'LISTEN_FDS is no number of sockets'],
    [env(-1), 'LISTEN_FDS is no number of sockets'],
    [env(4), 'LISTEN_FDS says 4, but LISTEN_FDNAMES names 3'],
    [env(2, 'gateway'), 'LISTEN_FDS says 2, but LISTEN_FDNAMES names 1'],
    [env(2, 'gateway:gateway'), 'two sockets were passed as "gateway"'],
    [
      env(1, 'postern.socket'),
      'a socket was passed as "postern.socket"; FileDescriptorName= must be gateway, console, ops, forward_auth, or the port of an address such as ":9001"',
    ],
  ])('are refused where they cannot be told apart', (given, error) => {
    expect(passedSockets(given, 42)).toEqual({ ok: false, error })
  })
})
