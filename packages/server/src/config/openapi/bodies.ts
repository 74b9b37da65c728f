import { type Result, fail, ok } from '../../base/result.ts'
import type { BodyContract } from '../../core/apis/request-contract.ts'
import type { Path } from '../issue.ts'
import { isRecord, type Schemas, type Validator } from './schemas.ts'

/** What an operation says of its body; null where it says nothing. */
export function bodyContract(at: Path, schemas: Schemas): Result<BodyContract | null, string> {
  const located = schemas.resolve(at)
  if (located === null) return ok(null)
  if (!isRecord(located.value) || !isRecord(located.value['content'])) return fail('its requestBody has no content')
  const types = new Map<string, Validator | null>()
  for (const [type, media] of Object.entries(located.value['content'])) {
    const validator = mediaValidator(type, media, [...located.at, 'content', type, 'schema'], schemas)
    if (!validator.ok) return fail(`the body as ${type}: ${validator.error}`)
    types.set(mediaType(type), validator.value)
  }
  return ok(contractOf(types, located.value['required'] === true))
}

function mediaValidator(type: string, media: unknown, at: Path, schemas: Schemas): Result<Validator | null, string> {
  if (!isRecord(media) || media['schema'] === undefined || !isJson(mediaType(type))) return ok(null)
  return schemas.validator(at)
}

function contractOf(types: ReadonlyMap<string, Validator | null>, required: boolean): BodyContract {
  /** Undefined: a type that is not described. */
  const described = (contentType: string | null): Validator | null | undefined => {
    const type = mediaType(contentType ?? '')
    const [main = ''] = type.split('/')
    for (const known of [type, `${main}/*`, '*/*']) if (types.has(known)) return types.get(known)
    return undefined
  }
  return {
    isRead: (contentType) => isJson(mediaType(contentType ?? '')) && described(contentType) != null,
    fault: (contentType, present, body) => {
      if (!present) return required ? 'The body is missing.' : null
      const validate = described(contentType)
      if (validate === undefined) return 'The Content-Type of the body is not one that this operation takes.'
      if (validate === null || !isJson(mediaType(contentType ?? ''))) return null
      const json = body === null ? undefined : jsonOf(body)
      if (json === undefined) return 'The body is not JSON.'
      const wrong = withinStack(() => validate(json))
      return wrong === null ? null : `The body ${wrong}.`
    },
  }
}

/** A schema that refers to itself is walked as deep as the body is. */
function withinStack(validate: () => string | null): string | null {
  try {
    return validate()
  } catch (cause) {
    if (cause instanceof RangeError) return 'is nested too deeply'
    throw cause
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined where it is not JSON (RFC 8259, section 8.1: UTF-8, without a byte order mark). */
function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body)) as unknown
  } catch {
    return undefined
  }
}

/** Without parameters, lower case. */
function mediaType(text: string): string {
  return (text.split(';')[0] ?? '').trim().toLowerCase()
}

function isJson(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json') || type === '*/*' || type === 'application/*'
}
