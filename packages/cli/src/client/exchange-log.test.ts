import { describe, expect, it } from 'vitest'

import { exchangeLog } from './exchange-log.ts'

describe('--verbose', () => {
  it('shows what was sent and answered, with every secret cut', () => {
    let shown = ''
    const log = exchangeLog((text) => (shown += text))
    const key = `acme_sk_live_0123456789ab${'s'.repeat(32)}000000`
    log.sent(
      'POST',
      new URL(`http://x/api/v1/explain?key=${key}`),
      JSON.stringify({ digest: 'dddd', headers: { 'x-app-token': 'tttt' } }),
    )
    log.received(new Response(null, { status: 200 }), JSON.stringify({ value: 'vvvv', hint: 'hhhh' }))
    expect(shown).toContain('> POST http://x/api/v1/explain?key=acme_sk_live_[cut]')
    expect(shown).toContain('"hint":"hhhh"')
    expect(shown).not.toMatch(/dddd|tttt|vvvv|ssss/)
  })
})
