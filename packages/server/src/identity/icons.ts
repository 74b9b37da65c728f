import { html } from './html.ts'

/** Drawn with `currentColor`; words always stand beside them. */
const icon = (paths: ReturnType<typeof html>) =>
  html`<svg
    width="16"
    height="16"
    viewBox="0 0 16 16"
    fill="none"
    stroke="currentColor"
    stroke-width="1.5"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    ${paths}
  </svg>`

/** A small gate in a wall. */
export const mark = html`<svg
  width="20"
  height="20"
  viewBox="0 0 20 20"
  fill="none"
  stroke="currentColor"
  stroke-width="1.5"
  stroke-linecap="round"
  stroke-linejoin="round"
  aria-hidden="true"
>
  <path d="M2.5 17.5v-15h15v15" />
  <path d="M6.5 17.5V10a3.5 3.5 0 0 1 7 0v7.5" />
  <circle cx="11.2" cy="13" r=".6" fill="currentColor" />
</svg>`

export const okIcon = icon(html`<circle cx="8" cy="8" r="6.25" /><path d="m5.5 8.2 1.8 1.8 3.2-3.8" />`)
export const dangerIcon = icon(html`<circle cx="8" cy="8" r="6.25" /><path d="M8 4.8v3.7" /><path d="M8 11v.01" />`)
export const offIcon = icon(html`<circle cx="8" cy="8" r="6.25" /><path d="M5.2 8h5.6" />`)
