import encodeQR from 'qr'

import type { Secret } from '../base/secret.ts'
import { html, type Html } from './html.ts'

/** A link that a phone reads from the screen, as a drawing within the page: dark on light whatever the theme is. */
export function qrCode(link: Secret, label: string): Html {
  const rows = encodeQR(link.reveal(), 'raw', { ecc: 'medium', border: 2 })
  const size = rows.length
  return html`<svg viewBox="0 0 ${size} ${size}" role="img" aria-label="${label}" shape-rendering="crispEdges">
    <path fill="#fff" d="M0 0h${size}v${size}H0z" />
    <path fill="#1b1b19" d="${rows.map(runsOf).join('')}" />
  </svg>`
}

/** One rectangle for each run of dark modules of a row. */
function runsOf(row: readonly boolean[], y: number): string {
  let path = ''
  for (let x = 0; x < row.length; x++) {
    if (row[x] !== true) continue
    const start = x
    while (row[x + 1] === true) x++
    path += `M${start} ${y}h${x + 1 - start}v1H${start}z`
  }
  return path
}
