import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

import { systemClock } from '../../packages/server/src/base/clock.ts'
import { createIds } from '../../packages/server/src/base/ids.ts'
import { systemRandom } from '../../packages/server/src/base/random.ts'
import { openStore } from '../../packages/server/src/store/index.ts'

/**
 * Run as a process of its own, with its port, its folder and the credential, account and project that a token is for:
 * the least that an endpoint for client_credentials can do. It reads the form, compares one client's secret, and
 * makes the same write into the same store; no other client, no limits, no log.
 */
const [port, folder = '', credential = '', account = '', project = ''] = [
  Number(process.argv[2]),
  ...process.argv.slice(3),
]
const store = await openStore({ url: 'sqlite', dataFolder: folder, checkpointsFolder: folder, clock: systemClock })
const ids = createIds(systemClock, systemRandom)
const secretDigest = sha256('a-secret-of-a-client-in-a-bench-0123456789')
const lifetimeSeconds = 900

createServer({ keepAliveTimeout: 120_000 }, (req, res) => {
  const parts: Buffer[] = []
  req.on('data', (part: Buffer) => parts.push(part))
  req.on('end', () => void answer(req, res, Buffer.concat(parts).toString('utf8')))
}).listen(port, '127.0.0.1', () => {
  process.stdout.write('{"ready":true}\n')
})

async function answer(req: IncomingMessage, res: ServerResponse, body: string): Promise<void> {
  const form = new URLSearchParams(body)
  const [, encoded = ''] = (req.headers.authorization ?? '').split(' ')
  const [id, secret = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  const good =
    id === 'bench' && timingSafeEqual(sha256(secret), secretDigest) && form.get('grant_type') === 'client_credentials'
  if (!good) {
    res.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}')
    return
  }
  const token = randomBytes(32).toString('base64url')
  const now = Date.now()
  const scopes = (form.get('scope') ?? '').split(' ')
  await store.tokens.mint({
    tokens: [
      {
        id: ids.next('tok'),
        kind: 'access',
        format: 'opaque',
        digest: sha256(token),
        credential,
        grant: null,
        family: null,
        account,
        project,
        api: 'shop',
        scopes,
        label: null,
        createdAt: now,
        expiresAt: now + lifetimeSeconds * 1000,
        familyEndsAt: null,
        code: null,
      },
    ],
  })
  const text = JSON.stringify({
    access_token: token,
    token_type: 'Bearer',
    expires_in: lifetimeSeconds,
    scope: scopes.join(' '),
  })
  res
    .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': text.length })
    .end(text)
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
