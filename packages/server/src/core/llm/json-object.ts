import { isUtf8 } from 'node:buffer'

import { type Result, fail, ok } from '../../base/result.ts'
import { byte, skipSpace, skipString, skipValue } from './json-scan.ts'

/**
 * The members of the one object that a body is, found without making values of it: a body may be 32 MiB, and what
 * it would unfold to is the client's choice.
 */
export interface JsonObject {
  readonly body: Buffer
  /** Where the value of each member stands, by its name. */
  readonly members: ReadonlyMap<string, Span>
  /** Bytes of all strings but blobs. */
  readonly textBytes: number
  /** Long strings that are base64 and no text: pictures, sound, documents. */
  readonly blobs: number
}

/** In bytes, the end not included. */
interface Span {
  readonly start: number
  readonly end: number
}

const membersMax = 1_000
/** Values up to this size are read. */
const valueBytesMax = 1_048_576

/**
 * Reads a body strictly, because whoever reads it next must find the same in it: UTF-8 without a mark before it, no
 * name twice, not even in another case, since some providers do not tell those apart. The error is a sentence.
 */
export function readJsonObject(body: Buffer): Result<JsonObject, string> {
  if (!isUtf8(body)) return fail('The body is not UTF-8.')
  const members = new Map<string, Span>()
  const folded = new Set<string>()
  let textBytes = 0
  let blobs = 0
  const onString = (start: number, end: number): void => {
    if (isBlob(body, start, end)) blobs++
    else textBytes += end - start - 2
  }

  let at = skipSpace(body, 0)
  if (body[at] !== byte.openObject) return fail('The body is not a JSON object.')
  at = skipSpace(body, at + 1)
  if (body[at] === byte.closeObject) at++
  else {
    for (let more = true; more;) {
      const nameEnd = skipString(body, at)
      const colon = nameEnd === -1 ? -1 : skipSpace(body, nameEnd)
      if (colon === -1 || body[colon] !== byte.colon) return fail(notJson)
      const name: unknown = JSON.parse(body.toString('utf8', at, nameEnd))
      const start = skipSpace(body, colon + 1)
      const end = skipValue(body, start, onString)
      if (end === -1 || typeof name !== 'string') return fail(notJson)
      const fold = name.toUpperCase().toLowerCase()
      if (folded.has(fold)) return fail(`The body has the field "${name.slice(0, 64)}" twice.`)
      if (members.size === membersMax) return fail(`The body has more than ${membersMax} fields.`)
      folded.add(fold)
      members.set(name, { start, end })
      at = skipSpace(body, end)
      more = body[at] === byte.comma
      if (more) at = skipSpace(body, at + 1)
    }
    if (body[at] !== byte.closeObject) return fail(notJson)
    at++
  }
  return skipSpace(body, at) === body.length ? ok({ body, members, textBytes, blobs }) : fail(notJson)
}

const notJson = 'The body is not valid JSON, or is nested too deeply.'

/** The value of a member; undefined where there is none, or it is too large to be one of those that are asked for. */
export function memberValue({ body, members }: JsonObject, name: string): unknown {
  const span = members.get(name)
  if (span === undefined || span.end - span.start > valueBytesMax) return undefined
  return JSON.parse(body.toString('utf8', span.start, span.end))
}

/** What the `base64` of a picture looks like, also as a `data:` URL. Text of that length has a space in it. */
function isBlob(body: Buffer, start: number, end: number): boolean {
  if (end - start < blobBytesMin) return false
  for (let at = start + 1; at < start + blobBytesMin - 1; at++) if (!isOfBase64(body[at] ?? 0)) return false
  return true
}

const blobBytesMin = 4_096

/** Letters, digits, and what stands in base64, base64url and the head of a data URL. */
function isOfBase64(c: number): boolean {
  return (
    (c >= 0x61 && c <= 0x7a) ||
    (c >= 0x41 && c <= 0x5a) ||
    (c >= 0x2b && c <= 0x3b) ||
    c === 0x3d ||
    c === 0x5c ||
    c === 0x5f
  )
}
