import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { flag, html } from './html.ts'

/** Without the line breaks that the formatter puts between tags. */
const compact = (markup: unknown): string => String(markup).replaceAll(/\n\s*/g, '')

describe('html', () => {
  it('escapes every text that stands between its literals', () => {
    const name = `<img src=x onerror="alert('1')">&\``
    expect(String(html`<p title="${name}">${name}</p>`)).toBe(
      '<p title="&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;&#96;">' +
        '&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;&#96;</p>',
    )
  })

  it('nests what it has made, and lists of it, unchanged', () => {
    const items = ['a&b', '<c>'].map((text) => html`<li>${text}</li>`)
    expect(
      compact(
        html`<ul>
            ${items}
          </ul>
          ${null}${7}`,
      ),
    ).toBe('<ul><li>a&amp;b</li><li>&lt;c&gt;</li></ul>7')
  })

  it('takes nothing for markup that only looks like it', () => {
    expect(String(html`${String(html`<b>x</b>`)}`)).toBe('&lt;b&gt;x&lt;/b&gt;')
  })

  it('says an attribute without a value where it is on', () => {
    expect(String(html`<input${flag('checked', true)}${flag('required', false)}>`)).toBe('<input checked>')
  })

  it('lets no text out of a quoted attribute or into a tag (80)', () => {
    const isInert = fc.property(fc.string({ unit: 'binary' }), (text) => {
      const inside = String(html`${text}`)
      return !/[<>"'`]/.test(inside) && !/&(?!(amp|lt|gt|quot|#39|#96);)/.test(inside)
    })
    expect(fc.check(isInert).failed).toBe(false)
  })
})
