import type { FastifyInstance } from 'fastify'

import { Refused } from './problems.ts'

export const bodyBytesMax = 1024 * 1024
export const importBytesMax = 4 * 1024 * 1024
const depthMax = 32

/** JSON is the only body: at most 32 deep, no `__proto__` or `constructor.prototype`. An empty one is absent. */
export function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') {
      done(null, undefined)
      return
    }
    if (depthOf(text) > depthMax) {
      done(new Refused('body_invalid', { detail: `The body is nested deeper than ${depthMax} levels.` }), undefined)
      return
    }
    const parsed = (error: Error | null, body?: unknown) => {
      done(
        error === null ? null : new Refused('body_invalid', { detail: 'The body is not JSON that can be accepted.' }),
        body,
      )
    }
    void parse(request, text, parsed)
  })
}

function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let inText = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (inText) {
      if (code === backslash) i++
      else if (code === quote) inText = false
    } else if (code === quote) inText = true
    else if (code === openBrace || code === openBracket) deepest = Math.max(deepest, ++depth)
    else if (code === closeBrace || code === closeBracket) depth--
  }
  return deepest
}

const quote = 0x22
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
