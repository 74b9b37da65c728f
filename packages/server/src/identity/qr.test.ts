import decodeQR from 'qr/decode.js'
import { describe, expect, it } from 'vitest'

import { seededRandom } from '../base/random.ts'
import { Secret } from '../base/secret.ts'
import { qrCode } from './qr.ts'
import { newTotpSecret, otpauthLink } from './totp.ts'

describe('the QR code of a second factor', () => {
  it.each(['ada@example.com', `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.example`, 'josé@例え.example'])(
    'is read by a scanner as the link for %s',
    (email) => {
      const link = otpauthLink(newTotpSecret(seededRandom(3)), 'acme', email)
      expect(scanned(String(qrCode(link, 'QR code')))).toBe(link.reveal())
    },
  )

  it('is a drawing with a name, and holds neither text nor style', () => {
    const drawing = String(qrCode(new Secret('otpauth://totp/acme:ada'), 'QR code'))
    expect(drawing).toMatch(/^<svg [^>]*role="img" aria-label="QR code"[^>]*>\s*(<path [^>]*>\s*){2}<\/svg>$/)
    expect(drawing).not.toContain('style')
  })
})

/** Draws what the paths say, with the quiet zone that the page has around it, and reads that. */
function scanned(drawing: string): string {
  const size = Number(/viewBox="0 0 ([0-9]+)/.exec(drawing)?.[1])
  const [scale, border] = [4, 16]
  const width = size * scale + 2 * border
  const data = new Uint8Array(width * width * 4).fill(255)
  for (const [, x, y, length] of drawing.matchAll(/M([0-9]+) ([0-9]+)h([0-9]+)v1/g)) {
    for (let row = 0; row < scale; row++) {
      const start = (border + Number(y) * scale + row) * width + border + Number(x) * scale
      for (let at = start; at < start + Number(length) * scale; at++) data.set([0, 0, 0], at * 4)
    }
  }
  return decodeQR({ width, height: width, data })
}
