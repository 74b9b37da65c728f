import { describe, expect, it } from 'vitest'

import { sha256 } from '../../base/digest.ts'
import { seededRandom, systemRandom } from '../../base/random.ts'
import { invitationLink, linkDigestOf, newLinkSecret, resetLink } from './link.ts'

describe('links for one person', () => {
  const link = newLinkSecret(seededRandom(7))
  const text = link.secret.reveal()

  it('end with 43 base62 characters, of which the digest alone is kept', () => {
    expect(text).toMatch(/^[0-9A-Za-z]{43}$/)
    expect(link.digest).toEqual(sha256(text))
    expect(linkDigestOf(text)).toEqual(link.digest)
    expect(newLinkSecret(systemRandom).secret.reveal()).not.toBe(newLinkSecret(systemRandom).secret.reveal())
  })

  it('lead to the address that is declared', () => {
    expect(invitationLink('https://id.example.com', link).reveal()).toBe(`https://id.example.com/invitation/${text}`)
    expect(resetLink('https://example.com/postern/', link).reveal()).toBe(`https://example.com/postern/reset/${text}`)
  })

  it('do not show in a log', () => {
    expect(String(invitationLink('https://id.example.com', link)) + JSON.stringify(link)).not.toContain(text)
  })

  it.each([
    ['nothing', ''],
    ['too short', text.slice(1)],
    ['too long', `${text}a`],
    ['another alphabet', `${text.slice(1)}-`],
  ])('are not looked up where the end is %s', (_, end) => {
    expect(linkDigestOf(end)).toBeNull()
  })
})
