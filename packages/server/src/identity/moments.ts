import { html, type Html } from './html.ts'

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `23 Nov 2026, 14:03 UTC`: no script that could know where somebody is. */
export function moment(epochMs: number): Html {
  const iso = new Date(epochMs).toISOString()
  const [year = '', month = '', day = ''] = iso.slice(0, 10).split('-')
  const text = `${Number(day)} ${months[Number(month) - 1] ?? ''} ${year}, ${iso.slice(11, 16)} UTC`
  return html`<time datetime="${iso}">${text}</time>`
}

/** `now`, `5 minutes ago`, `3 hours ago`; after a day the moment itself. */
export function ago(epochMs: number, now: number): Html {
  const minutes = Math.floor((now - epochMs) / 60_000)
  if (minutes < 2) return html`now`
  if (minutes < 120) return html`${minutes} minutes ago`
  if (minutes < 24 * 60) return html`${Math.floor(minutes / 60)} hours ago`
  return moment(epochMs)
}
