import { fail, ok, type Result } from '../../base/result.ts'
import type { EndpointRequest } from '../../core/oauth/endpoint.ts'
import { type EachParameter, readBody, readEach } from '../parameters.ts'
import { oauthRefusal, type OAuthRefusal } from '../refusal.ts'

/** Of a GET in the query, of a POST in the form and nowhere else (RFC 6749, section 3.1). */
export function readAuthorization({ facts, matched, body }: EndpointRequest): Result<EachParameter, OAuthRefusal> {
  switch (facts.method) {
    case 'GET':
    case 'HEAD':
      return readEach(matched.query.slice(1))
    case 'POST': {
      const read = readBody(facts.headers, matched.query, body)
      return read.ok ? ok({ found: read.value, faults: new Map() }) : read
    }
    default:
      return fail(oauthRefusal('oauth_method_not_allowed', { allowMethods: ['GET', 'POST'] }))
  }
}
