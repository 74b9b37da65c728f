import { describe, expect, it } from 'vitest'

import { compileIpRanges, noIpRanges } from '../../base/ip.ts'
import { Secret } from '../../base/secret.ts'
import { checkRequest, explainCheck, verdictOf } from './check.ts'
import { checkReasons } from './connection.ts'
import { platformOf } from './platforms/index.ts'

function platform(id: string) {
  const found = platformOf(id)
  if (found === null) throw new Error(id)
  return found
}

const answered = (status: number, body = '') =>
  ({ kind: 'answered', status, header: () => null, body, cut: false }) as const

describe('a check of a connection', () => {
  it('reads the status of the platform', () => {
    const cases = [
      [200, 'ok'],
      [401, 'credential_refused'],
      [403, 'credential_refused'],
      [429, 'platform_busy'],
      [500, 'platform_failed'],
      [503, 'platform_failed'],
      [204, 'unexpected_answer'],
      [302, 'unexpected_answer'],
      [404, 'unexpected_answer'],
    ] as const
    for (const [status, reason] of cases)
      expect(verdictOf(platform('sendgrid'), answered(status))).toEqual({ status, reason })
  })

  it('knows what a platform answers to a bad credential where that is another status', () => {
    const reason = (id: string, status: number) => verdictOf(platform(id), answered(status)).reason
    expect([reason('gemini', 400), reason('klaviyo', 400), reason('mandrill', 500)]).toEqual([
      'credential_refused',
      'credential_refused',
      'credential_refused',
    ])
    expect([reason('openai', 400), reason('mandrill', 503)]).toEqual(['unexpected_answer', 'platform_failed'])
  })

  it('reads the body where every answer has the same status', () => {
    const textlocal = platform('textlocal')
    expect(verdictOf(textlocal, answered(200, '{"balance": {"sms": 1}, "status": "success"}')).reason).toBe('ok')
    expect(verdictOf(textlocal, answered(200, '{"errors":[{"code":3}],"status":"failure"}')).reason).toBe(
      'credential_refused',
    )
    expect(verdictOf(textlocal, answered(200, '')).reason).toBe('credential_refused')
  })

  it('passes on why there was no answer', () => {
    for (const reason of ['timeout', 'host_unknown', 'address_forbidden', 'unreachable', 'tls_failed'] as const)
      expect(verdictOf(platform('sendgrid'), { kind: 'failed', reason })).toEqual({ reason, status: null })
  })

  it('carries the headers that the platform asks for beside the credential', () => {
    const request = checkRequest(
      { platform: platform('anthropic'), settings: {}, secrets: new Map([['api_key', new Secret('S3CRET')]]) },
      noIpRanges,
    )
    expect(request).toMatchObject({
      method: 'GET',
      headers: ['anthropic-version', '2023-06-01', 'x-api-key', 'S3CRET'],
      body: null,
    })
  })

  it('of another API is one where it says where', () => {
    const secrets = new Map([['secret', new Secret('S3CRET')]])
    const own = compileIpRanges(['10.0.0.0/8'])
    const of = (settings: Record<string, string>) =>
      checkRequest({ platform: platform('custom'), settings, secrets }, own)
    expect(of({ in: 'bearer' })).toMatchObject({ none: expect.stringContaining('no base URL') as unknown })
    expect(of({ in: 'bearer', base_url: 'https://api.example' })).toHaveProperty('none')
    const request = of({ in: 'query', name: 'key', base_url: 'https://api.example/v1', check_path: '/me?full=1' })
    expect('url' in request && request.url.href).toBe('https://api.example/v1/me?full=1&key=S3CRET')
    expect(request).toMatchObject({ allowedPrivate: own })
  })

  it('is told in a sentence that says what to do', () => {
    for (const reason of checkReasons) expect(explainCheck(platform('braze'), reason, 401)).toMatch(/^[A-Z].{20,}\.$/)
    expect(explainCheck(platform('braze'), 'credential_refused', 401)).toBe(
      'Braze answered 401: it does not accept the credential. The call needs the permission campaigns.list. Rotate the connection with a good one.',
    )
  })
})
