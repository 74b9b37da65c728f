import type { FastifyReply, FastifyRequest } from 'fastify'

import type { ManagementParts } from './parts.ts'
import { sendProblem } from './problems.ts'
import type { Operation } from './rights.ts'

export interface KnownRoute {
  readonly method: string
  readonly url: string
  /** Null: not an operation of /api/v1. */
  readonly operation: Operation | null
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Everything that the router knows, so that promises can be tested on all of it. */
    readonly knownRoutes: readonly KnownRoute[]
  }
}

/** 404, or 405 with Allow where the path is known for other methods (RFC 9110, section 15.5.6). */
export function answerNotFound(parts: ManagementParts, known: readonly KnownRoute[]) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const path = request.url.split('?', 1)[0] ?? ''
    const allow = new Set(known.filter(({ url }) => fits(path, url)).map(({ method }) => method))
    if (allow.size === 0) return await sendProblem(request, reply, parts, 'not_found')
    await sendProblem(request, reply, parts, 'method_not_allowed', {
      headers: { allow: [...allow].toSorted().join(', ') },
    })
  }
}

/** Whether a path has the shape of a pattern such as `/accounts/:id`. */
function fits(path: string, pattern: string): boolean {
  const segments = path.split('/')
  const wanted = pattern.split('/')
  return (
    segments.length === wanted.length &&
    wanted.every((name, i) => name === segments[i] || (name.startsWith(':') && segments[i] !== ''))
  )
}
