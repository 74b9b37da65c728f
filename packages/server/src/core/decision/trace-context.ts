import { headerValues } from './headers.ts'

/**
 * The trace that a request belongs to (W3C Trace Context, section 3.2): its trace-id, 32 hex digits. Null where
 * `traceparent` is absent, stands twice or is not valid: then neither it nor `tracestate` may be passed on.
 */
export function traceIdOf(lines: readonly string[]): string | null {
  const [value, another] = headerValues(lines, 'traceparent')
  if (value === undefined || another !== undefined) return null
  const [, version, traceId = '', parentId = '', more] = traceparent.exec(value) ?? []
  if (version === undefined || version === 'ff' || noId.test(traceId) || noId.test(parentId)) return null
  // A later version may have more fields; this one has none.
  return version === '00' && more !== undefined ? null : traceId
}

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/
const noId = /^0+$/
