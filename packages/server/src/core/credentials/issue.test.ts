import { describe, expect, it } from 'vitest'

import { fixedClock } from '../../base/clock.ts'
import { sha256Hex } from '../../base/digest.ts'
import { createIds } from '../../base/ids.ts'
import { systemRandom } from '../../base/random.ts'
import type { Secret } from '../../base/secret.ts'
import type { Api, Preset, VisibilityWindow } from '../apis/api.ts'
import type { NewSecret } from '../store.ts'
import { type Issued, issueCredential as issue, type Mint, regenerateSecret } from './issue.ts'
import type { Sealing } from './sealing.ts'
import type { AcceptedTerms } from './terms.ts'

const now = 1_000_000
const sealed: { readonly secret: Secret; readonly rowId: string; readonly until: number | 'always' }[] = []
const sealing: Sealing = {
  seal: (secret, rowId, until) => {
    sealed.push({ secret, rowId, until })
    return { bytes: new Uint8Array(), key: 'k', visibleUntil: until === 'always' ? 8.64e15 : until }
  },
  open: () => {
    throw new Error('not opened here')
  },
}
const mint: Mint = { brand: 'acme', ids: createIds(fixedClock(now), systemRandom), random: systemRandom, sealing, now }

function anApi(form: 'key' | 'pair', window: VisibilityWindow): Api {
  const preset = { form, pairShape: 'uuid', window: () => window } as Partial<Preset> as Preset
  return { id: 'shop', preset } as Partial<Api> as Api
}

function terms(form: 'key' | 'pair' = 'key', ...windows: readonly VisibilityWindow[]): AcceptedTerms {
  return {
    name: 'Key',
    kind: 'secret',
    apis: ['shop'],
    scopes: [],
    role: null,
    ipAllow: [],
    originAllow: null,
    limits: [],
    llm: null,
    oauth: null,
    notBefore: null,
    expiresAt: null,
    metadata: {},
    form,
    declaredApis: windows.map((window) => anApi(form, window)),
  }
}

/** Of terms whose credential has a secret. */
function issueCredential(...of: Parameters<typeof issue>): {
  readonly credential: Issued['credential'] & { readonly secret: NewSecret }
  readonly value: Secret
} {
  const { credential, value } = issue(...of)
  const { secret } = credential
  if (secret === null || value === null) throw new Error('no secret was made')
  return { credential: { ...credential, secret }, value }
}

const live = { environment: 'live', primary: false } as const

describe('issuing', () => {
  it('hands the store the digest of the presented key, and never the key', () => {
    const { credential, value } = issueCredential(terms('key', 'once'), live, mint)
    expect(value.reveal()).toMatch(/^acme_sk_live_[0-9A-Za-z]{50}$/)
    expect(Buffer.from(credential.secret.digest).toString('hex')).toBe(sha256Hex(value.reveal()))
    expect(JSON.stringify(credential)).not.toContain(value.reveal())
    expect(credential).toMatchObject({
      id: `cred_${credential.publicId}`,
      secret: { hint: value.hint(), origin: 'first', sealed: null },
    })
    expect(value.reveal()).toContain(`_${credential.publicId}`)
  })

  it('makes pairs of the shape of the preset, with a public id of their own', () => {
    const { credential, value } = issueCredential(terms('pair', 'once'), live, mint)
    expect(credential.publicId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(value.reveal()).toMatch(/^[0-9a-f]{8}-/)
    expect(credential.id).not.toContain(credential.publicId ?? '')
  })

  it.each<[string, VisibilityWindow[], number | null]>([
    ['once', ['once'], null],
    ['a length', [60_000], now + 60_000],
    ['always', ['always'], 8.64e15],
    ['the strictest of several', ['always', 60_000, 90_000], now + 60_000],
    ['once, if one of several says so', ['always', 'once'], null],
  ])('seals for the window: %s', (_what, windows, until) => {
    const { credential } = issueCredential(terms('key', ...windows), live, mint)
    expect(credential.secret.sealed?.visibleUntil ?? null).toBe(until)
    expect(sealed.some(({ rowId }) => rowId === credential.secret.id)).toBe(until !== null)
  })

  it('shows secrets once where there is no shared folder of key files', () => {
    expect(
      issueCredential(terms('key', 'always'), live, { ...mint, sealing: null }).credential.secret.sealed,
    ).toBeNull()
  })

  it('gives an OAuth client its id as client_id and a client secret, in key and pair APIs alike', () => {
    const client = { type: 'confidential', grantTypes: ['client_credentials'], redirectUris: [] } as const
    const oauth = { ...terms('key', 'once'), kind: 'oauth_client', oauth: client } as const
    const { credential, value } = issueCredential(oauth, live, mint)
    expect(value.reveal()).toMatch(/^acme_cs_[0-9A-Za-z]{49}$/)
    expect(credential).toMatchObject({ id: `cred_${credential.publicId}`, form: 'key', kind: 'oauth_client' })
    expect(credential.oauth).toEqual(client)
    const next = regenerateSecret(credential, [], 'live', mint)
    expect(next.value.reveal()).toMatch(/^acme_cs_[0-9A-Za-z]{49}$/)
    expect(next.value.reveal()).not.toBe(value.reveal())
  })

  it('gives a public client no secret', () => {
    const client = { type: 'public', grantTypes: ['authorization_code'], redirectUris: ['https://a.example/'] } as const
    const { credential, value } = issue({ ...terms(), kind: 'oauth_client', oauth: client }, live, mint)
    expect([credential.secret, value]).toEqual([null, null])
    expect(credential).toMatchObject({ id: `cred_${credential.publicId}`, oauth: client })
  })

  it('keeps the public id when it makes another secret', () => {
    const first = issueCredential(terms('key', 'once'), live, mint)
    const next = regenerateSecret(first.credential, [], 'live', mint)
    expect(next.value.reveal().slice(0, -38)).toBe(first.value.reveal().slice(0, -38))
    expect(next.secret).toMatchObject({ origin: 'regenerated', hint: next.value.hint() })
    expect(next.value.reveal()).not.toBe(first.value.reveal())
  })

  it('makes secrets that are all different and even in every position (13)', () => {
    const count = 6200
    const secrets = Array.from({ length: count }, () =>
      issueCredential(terms('key'), live, mint).value.reveal().slice(25, -6),
    )
    expect(new Set(secrets).size).toBe(count)
    for (let position = 0; position < 32; position++) {
      const counts = new Map<string, number>()
      for (const secret of secrets) counts.set(secret.charAt(position), (counts.get(secret.charAt(position)) ?? 0) + 1)
      const chiSquare = [...counts.values()].reduce(
        (sum, seen) => sum + (seen - 100) ** 2 / 100,
        (62 - counts.size) * 100,
      )
      // 61 degrees of freedom: one in a million is above 130.
      expect(chiSquare).toBeLessThan(130)
    }
  })
})
