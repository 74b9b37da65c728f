import { expect, it } from 'vitest'

import { startUpstream } from '../../../fuzz/lib/upstream.ts'
import { valuesOf, type Line } from '../../../fuzz/strict/fields.ts'
import { until } from '../../support/until.ts'
import { pathCorpus, reaches } from '../support/paths.ts'
import { refusal, valueOf, type Stage } from '../support/stage.ts'

/** Pitfalls of 1, 2, 6, 24, 25 and 26: who the upstream believes that it talks to, and about what. */
export function identityPitfalls(stage: Stage): void {
  const linesSeen = (): readonly Line[] => stage.upstream.seen[0]?.lines ?? []

  it('pitfall 1: a client cannot have an identity header removed by naming it in Connection', async () => {
    const own = ['X-Postern-Credential', 'X-Postern-Account', 'X-Postern-Request', 'X-Forwarded-For', 'X-Request-Id']
    await stage.ask(
      stage.head('GET /', `Connection: close, ${own.join(', ')}`, `connection: ${own.join(',').toLowerCase()}`),
    )
    expect(valuesOf(linesSeen(), 'x-postern-credential')).toEqual([stage.key.id])
    expect(valuesOf(linesSeen(), 'x-postern-account')).toEqual([stage.account.id])
    expect(valuesOf(linesSeen(), 'x-forwarded-for')).toEqual(['127.0.0.1'])
    for (const name of own) expect(valuesOf(linesSeen(), name.toLowerCase()), name).toHaveLength(1)
  })

  it('pitfall 2: identity headers of a client do not survive, in no spelling, once or twice', async () => {
    const spellings = [
      'X-Postern-Account',
      'x-postern-account',
      'X-POSTERN-ACCOUNT',
      'X_Postern_Account',
      'X-Postern_Account',
      'X.Postern.Account',
      'x_postern.account',
      'X-Postern-',
      'X-Postern',
      'X_POSTERN_NEW',
    ]
    const others = [
      'X-Forwarded-User',
      'X_Forwarded_For',
      'Forwarded',
      'X-Real-IP',
      'X-Original-URL',
      'X-HTTP-Method-Override',
    ]
    const lines = [...spellings, ...others].flatMap((name) => [`${name}: evil`, `${name}:evil`])
    const answer = await stage.ask(stage.head('GET /', ...lines))
    expect(answer.status).toBe(200)
    expect(linesSeen().filter(([, value]) => value.includes('evil'))).toEqual([])
    expect(
      linesSeen()
        .filter(([name]) => /^x[-_.]postern/i.test(name))
        .map(([name]) => name.toLowerCase()),
    ).toEqual(
      ['credential', 'kind', 'account', 'project', 'environment', 'api', 'scopes', 'subject', 'grant', 'request'].map(
        (name) => `x-postern-${name}`,
      ),
    )
    expect(valuesOf(linesSeen(), 'x-postern-account')).toEqual([stage.account.id])
  })

  it('pitfall 6, statement 63: a path is refused or goes on byte for byte, and never resolves to what was not decided', async () => {
    const paths = pathCorpus()
    expect(paths.length).toBeGreaterThan(500)
    const client = stage.connect()
    for (const path of paths) {
      stage.upstream.clear()
      client.send(stage.head(`GET ${path}`))
      const answer = await client.answer()
      if (answer.status === 200) {
        expect(stage.upstream.seen.map(({ target }) => target)).toEqual([path])
        // The key lacks the scope of /admin, so no upstream may find /admin in what went on.
        expect(reaches(path, '/admin'), path).toBe(false)
      } else {
        expect([400, 403], path).toContain(answer.status)
        expect(refusal(answer).code, path).toMatch(/^(path_not_canonical|request_malformed|scope_missing)$/)
        expect(stage.upstream.seen).toEqual([])
      }
      if (valueOf(answer, 'connection') === 'close') throw new Error(`${path} ended the connection`)
    }
  })

  it('pitfall 24: a credential reaches neither the upstream nor the log nor the request log', async () => {
    const { value } = stage.key
    const asked = [
      stage.head('GET /in-bearer'),
      stage.anonymous('GET /in-header', `X-Api-Key: ${value}`),
      stage.anonymous(`GET /in-query?a=1&api_key=${value}&b=2`, `Referer: https://shop.test/x?api_key=${value}`),
      // What is refused is logged as well.
      stage.anonymous(`GET /twice?api_key=${value}`, `X-Api-Key: ${value}`),
      stage.head(`GET /admin/x?api_key=${value}`).replace(/Authorization:[^\r]*\r\n/, ''),
    ]
    for (const text of asked) await stage.ask(text)
    expect(stage.upstream.seen.map(({ target }) => target)).toEqual(['/in-bearer', '/in-header', '/in-query?a=1&b=2'])
    const secret = value.slice(-38)
    for (const { bytes } of stage.upstream.connections) expect(bytes()).not.toContain(secret)
    const rows = async () => await stage.server.api('GET', '/requests?limit=100')
    await until('the requests are logged', async () => (await rows()).text.includes('/in-query'))
    expect((await rows()).text).not.toContain(secret)
    expect(stage.server.logged.join('\n')).not.toContain(secret)
  })

  it('pitfall 25, statement 71: a redirect of the upstream is the client’s to follow', async () => {
    const other = await startUpstream()
    try {
      for (const status of [301, 302, 303, 307, 308]) {
        const location = `http://127.0.0.1:${other.port}/elsewhere`
        stage.upstream.respond = (_request, { send }) =>
          send(`HTTP/1.1 ${status} Moved\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`)
        const answer = await stage.ask(stage.head('GET /'))
        expect([answer.status, valueOf(answer, 'location')]).toEqual([status, location])
      }
      expect(other.connections).toEqual([])
    } finally {
      await other.close()
    }
  })

  it('pitfall 26: X-Forwarded-For of a peer that is no trusted proxy is not believed', async () => {
    await stage.ask(
      stage.head('GET /', 'X-Forwarded-For: 203.0.113.7', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: evil.test'),
    )
    expect(valuesOf(linesSeen(), 'x-forwarded-for')).toEqual(['127.0.0.1'])
    expect(valuesOf(linesSeen(), 'x-forwarded-host')).toEqual(['shop.test'])
    expect(valuesOf(linesSeen(), 'x-forwarded-proto')).toEqual([stage.door.tls !== null ? 'https' : 'http'])
  })
}
