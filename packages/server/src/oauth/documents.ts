import { createHash } from 'node:crypto'

import type { Answer } from '../core/decision/answer.ts'
import { headerValue } from '../core/decision/headers.ts'
import type { Endpoint, EndpointRequest } from '../core/oauth/endpoint.ts'
import { standardDialect } from '../core/oauth/standard-dialect.ts'
import { Call } from './call.ts'
import { metadata } from './metadata.ts'
import type { OAuthParts } from './parts.ts'
import { oauthRefusal } from './refusal.ts'

/** RFC 8414, for everybody and every page. */
export function metadataEndpoint({ declaration }: OAuthParts): Endpoint {
  return document(() => JSON.stringify(metadata(declaration())), 'application/json')
}

/** The keys that sign access tokens, those that will and those that did (RFC 7517, section 5). */
export function jwksEndpoint({ signingKeys, clock }: OAuthParts): Endpoint {
  return document(
    () => JSON.stringify({ keys: signingKeys.list(clock.now()).map(({ jwk }) => jwk) }),
    'application/jwk-set+json',
  )
}

function document(body: () => string, contentType: string): Endpoint {
  return (request) => {
    const call = new Call(request, standardDialect)
    const { method } = request.facts
    const read = method === 'GET' || method === 'HEAD'
    return Promise.resolve(
      read
        ? call.with(documentAnswer(request, body(), contentType))
        : call.refused(oauthRefusal('oauth_method_not_allowed', { allowMethods: ['GET', 'HEAD'] })),
    )
  }
}

/** It says nothing about anybody, so that any page and any cache may have it. */
function documentAnswer({ facts, requestId }: EndpointRequest, body: string, contentType: string): Answer {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  const known =
    headerValue(facts.headers, 'if-none-match')
      ?.split(',')
      .some((each) => each.trim() === etag) === true
  const headers = [
    'X-Request-Id',
    requestId,
    'Cache-Control',
    'public, max-age=300',
    'ETag',
    etag,
    'Access-Control-Allow-Origin',
    '*',
    'X-Content-Type-Options',
    'nosniff',
  ]
  return known
    ? { status: 304, headers, body: '' }
    : { status: 200, headers: ['Content-Type', contentType, ...headers], body }
}
