import { type Result, fail, ok } from '../../base/result.ts'
import type { RequestContract } from '../../core/apis/request-contract.ts'
import type { Path } from '../issue.ts'
import { bodyContract } from './bodies.ts'
import type { OpenapiFile } from './document.ts'
import type { Operation } from './operations.ts'
import { parameterChecks } from './parameters.ts'
import { createSchemas, type Schemas } from './schemas.ts'

/** Compiles what operations demand of requests. Schemas are read once, and only where somebody validates. */
export function createContracts(file: OpenapiFile): (operation: Operation) => Result<RequestContract, string> {
  let schemas: Schemas | null = null
  return (operation) => {
    schemas ??= createSchemas(file.document, file.document.openapi)
    return contractOf(operation, schemas)
  }
}

function contractOf({ pointer, pattern }: Operation, schemas: Schemas): Result<RequestContract, string> {
  const item = pointer.slice(0, -1)
  const places = [...listedAt([...item, 'parameters'], schemas), ...listedAt([...pointer, 'parameters'], schemas)]
  const checks = parameterChecks(places, pattern, schemas)
  if (!checks.ok) return fail(checks.error)
  const body = bodyContract([...pointer, 'requestBody'], schemas)
  if (!body.ok) return fail(body.error)
  return ok({
    headFault: (path, query, headers) => {
      for (const check of checks.value) {
        const fault = check(path, query, headers)
        if (fault !== null) return fault
      }
      return null
    },
    body: body.value,
  })
}

function listedAt(at: Path, schemas: Schemas): readonly Path[] {
  const list = schemas.resolve(at)?.value
  return Array.isArray(list) ? [...list.keys()].map((index) => [...at, index]) : []
}
