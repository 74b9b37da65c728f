import { describe, expect, it } from 'vitest'

import { paintFor } from './colour.ts'

const coloured = (isTty: boolean, choice: 'auto' | 'always' | 'never', env: Record<string, string>) =>
  paintFor({ isTty, columns: 80, write: () => undefined }, choice, env)('red', 'x') !== 'x'

describe('colour', () => {
  it.each([
    ['on a terminal', true, 'auto', {}, true],
    ['not into a pipe', false, 'auto', {}, false],
    ['not with NO_COLOR', true, 'auto', { NO_COLOR: '1' }, false],
    ['with an empty NO_COLOR, which counts as absent', true, 'auto', { NO_COLOR: '' }, true],
    ['not with CLICOLOR=0', true, 'auto', { CLICOLOR: '0' }, false],
    ['into a pipe with CLICOLOR_FORCE', false, 'auto', { CLICOLOR_FORCE: '1' }, true],
    ['not with CLICOLOR_FORCE=0', false, 'auto', { CLICOLOR_FORCE: '0' }, false],
    ['with --color=always, whatever the environment says', false, 'always', { NO_COLOR: '1' }, true],
    ['not with --color=never', true, 'never', { CLICOLOR_FORCE: '1' }, false],
  ] as const)('is used %s', (_, isTty, choice, env, expected) => {
    expect(coloured(isTty, choice, env)).toBe(expected)
  })
})
