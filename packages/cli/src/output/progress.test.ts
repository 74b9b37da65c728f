import { describe, expect, it } from 'vitest'

import { testIo } from '../testing/io.ts'
import { createProgress } from './progress.ts'

const plain = (_: unknown, text: string) => text

describe('progress', () => {
  it('draws over itself on a terminal and ends its line', () => {
    const io = testIo({ tty: true })
    const progress = createProgress(io, 'import', plain)
    progress.update(500, 1_000)
    progress.update(1_000, 1_000)
    progress.end()
    expect(io.printed.err()).toBe(
      `\r\u001b[2Kimport  ${'█'.repeat(15)}${'░'.repeat(15)}  50 %  500 of 1000\r\u001b[2Kimport  ${'█'.repeat(30)} 100 %  1000 of 1000\n`,
    )
    expect(io.printed.out()).toBe('')
  })

  it('is silent where nobody watches', () => {
    const io = testIo({})
    const progress = createProgress(io, 'import', plain)
    progress.update(1, 2)
    progress.end()
    expect(io.printed.err()).toBe('')
  })
})
