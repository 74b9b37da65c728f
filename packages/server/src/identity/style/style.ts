import { createHash } from 'node:crypto'

import { html } from '../html.ts'
import { forms } from './forms.ts'
import { lists } from './lists.ts'
import { page } from './page.ts'
import { screens } from './screens.ts'
import { tokens } from './tokens.ts'

/** The one sheet of all pages, within each of them. */
export const styleElement = html`<style>
  ${[tokens, page, forms, lists, screens]}
</style>`

/** What the policy of each page names, so that no other style applies: the hash of all that stands in the element. */
export const styleHash = `sha256-${hashOf(String(styleElement).slice('<style>'.length, -'</style>'.length))}`

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}
