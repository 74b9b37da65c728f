import { describe, expect, it } from 'vitest'

import { traceIdOf } from './trace-context.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'

describe('traceparent (W3C Trace Context, section 3.2)', () => {
  it('names the trace where it is valid', () => {
    expect(traceIdOf(['Traceparent', `00-${traceId}-${parentId}-01`])).toBe(traceId)
    expect(traceIdOf(['a', 'b', 'traceparent', `00-${traceId}-${parentId}-00`, 'tracestate', 'x=1'])).toBe(traceId)
    // A later version is read as far as this one goes.
    expect(traceIdOf(['traceparent', `cc-${traceId}-${parentId}-01-what-the-future-holds`])).toBe(traceId)
  })

  it.each([
    ['of a version that is none', `ff-${traceId}-${parentId}-01`],
    ['with more than version 00 has', `00-${traceId}-${parentId}-01-x`],
    ['with a trace-id of zeros', `00-${'0'.repeat(32)}-${parentId}-01`],
    ['with a parent-id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['in upper case', `00-${traceId.toUpperCase()}-${parentId}-01`],
    ['cut short', `00-${traceId}-${parentId}`],
    ['with a field of the wrong length', `00-${traceId}0-${parentId}-01`],
    ['with spaces in it', `00-${traceId}- ${parentId}-01`],
    ['that is empty', ''],
  ])('is nothing where it is one %s', (_how, value) => {
    expect(traceIdOf(['traceparent', value])).toBeNull()
  })

  it('is nothing where it is absent or stands twice', () => {
    const good = `00-${traceId}-${parentId}-01`
    expect(traceIdOf(['tracestate', 'x=1'])).toBeNull()
    expect(traceIdOf(['traceparent', good, 'TraceParent', good])).toBeNull()
  })
})
