import { createHash } from 'node:crypto'

import type { wire } from '@postern/contract'

/** What a line may leave out because it holds for the whole file. */
export interface ImportDefaults {
  readonly apis: readonly string[]
  readonly kind: string
  readonly scopes: readonly string[]
  /** Lines have `secret`, which is hashed here, instead of `digest`. */
  readonly hash: boolean
}

export type ReadLine =
  | { readonly ok: true; readonly credential: wire.ImportedCredential }
  /** Never repeats what stands in the line: it may be a secret. */
  | { readonly ok: false; readonly reason: string }

const textFields = ['digest', 'secret', 'public_id', 'name', 'kind', 'role', 'not_before', 'expires_at'] as const
const listFields = ['apis', 'scopes', 'ip_allow', 'origin_allow'] as const
const otherFields = ['limits', 'metadata'] as const
const knownFields: readonly string[] = [...textFields, ...listFields, ...otherFields]
export const csvFields: readonly string[] = [...textFields, ...listFields]

/** One line of a JSON file: an object with the fields of the management API. */
export function readJsonLine(text: string, defaults: ImportDefaults): ReadLine {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse('is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('is not a JSON object')
  const unknownField = Object.keys(value).find((name) => !knownFields.includes(name))
  if (unknownField !== undefined)
    return refuse(`has the unknown field ${fieldName(unknownField)}; known are ${knownFields.join(', ')}`)
  return complete(Object.fromEntries(Object.entries(value)), defaults)
}

/** One row of a CSV file; lists are separated by spaces. */
export function readCsvRow(header: readonly string[], cells: readonly string[], defaults: ImportDefaults): ReadLine {
  if (cells.length !== header.length) return refuse(`has ${cells.length} columns, the first line has ${header.length}`)
  const fields: Record<string, unknown> = {}
  for (const [index, name] of header.entries()) {
    const cell = cells[index] ?? ''
    if (cell === '') continue
    fields[name] = isListField(name) ? cell.split(/\s+/) : cell
  }
  return complete(fields, defaults)
}

function complete(fields: Readonly<Record<string, unknown>>, defaults: ImportDefaults): ReadLine {
  for (const name of textFields) {
    const value = fields[name]
    if (value !== undefined && value !== null && typeof value !== 'string') return refuse(`${name} is not a text`)
  }
  for (const name of listFields) {
    const value = fields[name]
    if (value !== undefined && value !== null && !isTexts(value)) return refuse(`${name} is not a list of texts`)
  }
  const digest = digestOf(fields, defaults.hash)
  if (!digest.ok) return digest
  if (typeof fields['name'] !== 'string' || fields['name'] === '') return refuse('name is missing')
  const { secret: _secret, ...rest } = fields
  const credential = {
    apis: defaults.apis,
    kind: defaults.kind,
    scopes: defaults.scopes,
    ...rest,
    digest: digest.value,
  }
  if (credential.apis.length === 0) return refuse('apis is missing; --api gives one to every line')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server checks each value; the fields are known ones
  return { ok: true, credential: credential as wire.ImportedCredential }
}

function digestOf(
  fields: Readonly<Record<string, unknown>>,
  hash: boolean,
): { ok: true; value: string } | { ok: false; reason: string } {
  const { digest, secret } = fields
  if (hash) {
    if (digest !== undefined) return refuse('has a digest, although --hash says that the file holds secrets')
    if (typeof secret !== 'string' || secret === '') return refuse('secret is missing')
    if (!/^[\u0021-\u007e]{1,1024}$/.test(secret))
      return refuse('secret has characters that no credential can have, or is too long')
    return { ok: true, value: createHash('sha256').update(secret).digest('hex') }
  }
  if (secret !== undefined)
    return refuse('has a secret in clear; --hash hashes it here, so that it never leaves this machine')
  if (typeof digest !== 'string') return refuse('digest is missing')
  if (!/^(?:[0-9A-Fa-f]{64}|[A-Za-z0-9+/_-]{43}=?)$/.test(digest))
    return refuse('digest is not SHA-256 in 64 hex digits or base64')
  return { ok: true, value: digest }
}

function refuse(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason }
}

/** A name is repeated only where it cannot be a secret. */
export function fieldName(name: string): string {
  return /^[a-z_]{1,20}$/.test(name) ? `"${name}"` : '(not shown)'
}

function isListField(name: string): boolean {
  return listFields.some((field) => field === name)
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
