/**
 * Every code that Postern answers or logs, one row each: the stage that says it, the HTTP status, and what
 * the caller may read. `holderOnly` rows are told only to the holder of the full, once-valid secret.
 * The docs page of a code is `{public_url}/docs/errors/{code}`, generated from this table.
 */
export interface CodeRow {
  readonly stage: Stage
  readonly status: number
  readonly title: string
  /** What the caller may read: what happened, why, and what to do next. Names no allowed value. */
  readonly detail: string
  /** What the operator's log says beside the code. */
  readonly log: string
  readonly holderOnly?: true
  /** What an OAuth endpoint calls it (RFC 6749, sections 4.1.2.1 and 5.2; RFC 8707). Absent: see `oauthErrorOf`. */
  readonly oauthError?: OAuthError
}

export type OAuthError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'access_denied'
  | 'login_required'
  | 'consent_required'
  | 'interaction_required'
  | 'request_not_supported'
  | 'request_uri_not_supported'
  | 'temporarily_unavailable'
  | 'server_error'

export type Stage =
  | 'wire'
  | 'transport'
  | 'match'
  | 'present'
  | 'known'
  | 'state'
  | 'fit'
  | 'limits'
  | 'oauth'
  | 'forward'
  | 'management'

export const codes = {
  // wire: the HTTP message itself
  request_malformed: {
    stage: 'wire',
    status: 400,
    title: 'The request is not well-formed HTTP',
    detail:
      'The head of the request could not be read without doubt, so nothing of it was used. Check for repeated Host headers, conflicting lengths and control characters.',
    log: 'malformed request head',
  },
  request_timeout: {
    stage: 'wire',
    status: 408,
    title: 'The request took too long to arrive',
    detail: 'The head or the body did not arrive within the time allowed. Send it again on a new connection.',
    log: 'request head or body timed out',
  },
  request_too_large: {
    stage: 'wire',
    status: 413,
    title: 'The request body is too large',
    detail: 'The body exceeds the size that this address accepts. Send less, or ask the provider to raise the limit.',
    log: 'request body over the limit',
  },
  media_type_unsupported: {
    stage: 'wire',
    status: 415,
    title: 'This content type is not accepted here',
    detail: 'The body has to be JSON, sent with Content-Type: application/json.',
    log: 'content type not accepted',
  },
  uri_too_long: {
    stage: 'wire',
    status: 414,
    title: 'The request target is too long',
    detail: 'The path and query exceed the length that this address accepts. Move data into the body.',
    log: 'request target over the limit',
  },
  headers_too_large: {
    stage: 'wire',
    status: 431,
    title: 'The request has too many or too large headers',
    detail:
      'The header section exceeds the number of lines or bytes that this address accepts. Send fewer or shorter headers.',
    log: 'request headers over the limit',
  },
  overloaded: {
    stage: 'wire',
    status: 503,
    title: 'Too much is being sent at once',
    detail:
      'The gateway already holds as many bodies as it may, and did not take this one. Nothing was done; try again after the time in Retry-After.',
    log: 'bodies held for inspection over the bound',
  },
  internal_error: {
    stage: 'wire',
    status: 500,
    title: 'Something went wrong on our side',
    detail: 'The request was not completed. Quote the request id to the provider.',
    log: 'internal error',
  },
  forward_auth_untrusted: {
    stage: 'wire',
    status: 403,
    title: 'This address may not ask for decisions',
    detail:
      'Another proxy’s word on a request is taken only from the peers in `listen.trusted_proxies`, and this address is not among them. Operators: add the address of the proxy there.',
    log: 'forward-auth asked by a peer outside trusted_proxies',
  },
  forward_auth_misconfigured: {
    stage: 'wire',
    status: 500,
    title: 'The proxy in front is not set up completely',
    detail:
      'The proxy asked whether a request may pass, but did not say clearly which one. Operators: compare its configuration with the one in `examples/forward-auth`.',
    log: 'forward-auth question incomplete or contradictory',
  },
  // transport
  insecure_transport: {
    stage: 'transport',
    status: 403,
    title: 'HTTPS is required',
    detail:
      'A credential must not travel over plain HTTP. Use https://, and rotate the credential if this request carried one. Operators: see `listen.plain_http_from` and `listen.trusted_proxies`.',
    log: 'plain HTTP from a peer outside plain_http_from',
  },
  // match: API, path, route
  api_unknown: {
    stage: 'match',
    status: 404,
    title: 'No API at this address',
    detail: 'No API is declared for this host and path. Check host, port and the beginning of the path.',
    log: 'no API declared for host and prefix',
  },
  path_not_canonical: {
    stage: 'match',
    status: 400,
    title: 'The path is not canonical',
    detail:
      'The path has dot segments, empty segments, encoded slashes, a semicolon, a backslash, control characters or something encoded twice. Send the plain form of the path.',
    log: 'path refused before routing',
  },
  // present
  credential_missing: {
    stage: 'present',
    status: 401,
    title: 'No credential was sent',
    detail:
      'This API needs a credential, and none was found where it looks for one. The WWW-Authenticate header names the places.',
    log: 'no credential in any declared place',
  },
  credential_ambiguous: {
    stage: 'present',
    status: 400,
    title: 'More than one credential was sent',
    detail: 'The request carries different credentials, or one of them twice. Send exactly one.',
    log: 'more than one credential presented',
  },
  // shape, known
  credential_malformed: {
    stage: 'known',
    status: 401,
    title: 'The credential is malformed',
    detail:
      'What was sent cannot be a credential of this API: it may be cut off, quoted, or have spaces or a placeholder in it. Copy it again in full.',
    log: 'credential fails shape or checksum',
  },
  credential_unknown: {
    stage: 'known',
    status: 401,
    title: 'The credential is not known',
    detail: 'No credential with this value is known. Check that it was copied in full and belongs to this provider.',
    log: 'no record for the presented credential',
  },
  too_many_failures: {
    stage: 'known',
    status: 429,
    title: 'Too many failed attempts',
    detail:
      'Too many requests with bad credentials came from this address. Wait for the time in Retry-After and check the credential.',
    log: 'failed-attempt budget of the peer is spent',
  },
  decision_unavailable: {
    stage: 'known',
    status: 503,
    title: 'The decision cannot be made right now',
    detail:
      'The credential could not be checked just now. It was not refused: keep it and try again after the time in Retry-After.',
    log: 'store unreachable or record stale',
  },
  // state and time
  credential_blocked: {
    stage: 'state',
    status: 401,
    title: 'The credential is blocked',
    detail: 'This credential is blocked. Its owner or the provider can unblock it.',
    log: 'credential state is blocked',
    holderOnly: true,
  },
  credential_revoked: {
    stage: 'state',
    status: 401,
    title: 'The credential is revoked',
    detail: 'This credential was revoked for good. Use another one, or ask for a new one.',
    log: 'credential state is revoked or compromised',
    holderOnly: true,
  },
  credential_expired: {
    stage: 'state',
    status: 401,
    title: 'The credential has expired',
    detail: 'This credential has passed its expiry. Ask for a new one.',
    log: 'credential past expires_at',
    holderOnly: true,
  },
  credential_not_yet_valid: {
    stage: 'state',
    status: 401,
    title: 'The credential is not valid yet',
    detail: 'This credential becomes valid at a later time. Try again then.',
    log: 'credential before not_before',
    holderOnly: true,
  },
  secret_rotated_out: {
    stage: 'state',
    status: 401,
    title: 'This secret was replaced',
    detail: 'The credential was rotated and the overlap for this secret has ended. Use the newer secret.',
    log: 'secret past not_after',
    holderOnly: true,
  },
  token_expired: {
    stage: 'state',
    status: 401,
    title: 'The token has expired',
    detail: 'This token has passed its expiry. Get a new one.',
    log: 'token past expires_at',
    holderOnly: true,
  },
  token_revoked: {
    stage: 'state',
    status: 401,
    title: 'The token is revoked',
    detail: 'This token was revoked. Get a new one.',
    log: 'token revoked',
    holderOnly: true,
  },
  proof_invalid: {
    stage: 'state',
    status: 401,
    title: 'The proof of possession is not valid',
    detail:
      'The token is bound to a key, and the proof that came with the request does not fit it. Make a new proof with that key for this very request.',
    log: 'DPoP or mTLS proof does not match',
    holderOnly: true,
  },
  grant_withdrawn: {
    stage: 'state',
    status: 401,
    title: 'The consent was withdrawn',
    detail: 'The person who allowed this access has withdrawn it. Ask for consent again.',
    log: 'grant withdrawn',
    holderOnly: true,
  },
  // fit
  wrong_api: {
    stage: 'fit',
    status: 403,
    title: 'The credential belongs to another API',
    detail: 'This credential is good, but not for this API. Use one that was made for it.',
    log: "API not among the credential's apis",
    holderOnly: true,
  },
  wrong_audience: {
    stage: 'fit',
    status: 401,
    title: 'The token is meant for another API',
    detail: 'The audience of this token is another API. Ask for a token for this one.',
    log: 'token audience does not match',
    holderOnly: true,
  },
  wrong_environment: {
    stage: 'fit',
    status: 403,
    title: 'The credential belongs to the other environment',
    detail:
      'A live credential was sent to the sandbox address, or the other way round. Use the credential of this environment, or the other address.',
    log: 'project environment does not match the address',
    holderOnly: true,
  },
  wrong_region: {
    stage: 'fit',
    status: 403,
    title: 'The credential belongs to another region',
    detail: "The project of this credential lives in another region. Use that region's address.",
    log: 'project region does not match the address',
    holderOnly: true,
  },
  account_suspended: {
    stage: 'fit',
    status: 403,
    title: 'The account is suspended',
    detail: 'The account that owns this credential is suspended. Its owner should contact the provider.',
    log: 'account suspended',
    holderOnly: true,
  },
  plan_forbids: {
    stage: 'fit',
    status: 403,
    title: 'The plan does not include this',
    detail:
      "The account's plan does not include this API, or this kind or age of credential. A plan that includes it makes the same credential work at once.",
    log: 'plan of the account does not allow it',
    holderOnly: true,
  },
  ip_not_allowed: {
    stage: 'fit',
    status: 403,
    title: 'This IP address is not allowed',
    detail:
      'The credential may be used only from listed addresses, and this one is not among them. Send the request from a listed one, or ask the holder of the account to add this one.',
    log: 'client IP outside ip_allow',
    holderOnly: true,
  },
  origin_not_allowed: {
    stage: 'fit',
    status: 403,
    title: 'This origin is not allowed',
    detail:
      'The credential may be used only from listed web or app origins. The Origin header of this request is absent or not among them. Call from a listed one, or ask the holder of the account to add it.',
    log: 'origin outside origin_allow',
    holderOnly: true,
  },
  kind_not_allowed: {
    stage: 'fit',
    status: 403,
    title: 'This kind of credential is not allowed here',
    detail:
      'The operation or the place where the credential was sent does not accept this kind of credential, for example a client-side key on a server-side operation. Use a credential of the other kind, or the place that was made for this one.',
    log: 'credential kind not accepted by route or place',
    holderOnly: true,
  },
  scope_missing: {
    stage: 'fit',
    status: 403,
    title: 'A permission is missing',
    detail:
      'The credential does not carry the permission that this operation needs. `missing_scopes` names it. Use a credential that has it, or ask for one.',
    log: 'required scope not held',
    holderOnly: true,
  },
  model_not_allowed: {
    stage: 'fit',
    status: 403,
    title: 'This model is not allowed',
    detail:
      'The API, the plan or the credential does not include the model that the request names, or the model cannot be read although it has to be. Ask for another model, or have this one allowed.',
    log: 'model outside of the allowed ones, unreadable, or without a price',
    holderOnly: true,
  },
  route_unknown: {
    stage: 'fit',
    status: 404,
    title: 'No such operation',
    detail: 'This API has no operation at this path. Check the path against the reference of the API.',
    log: 'no route for the path, unmatched: refuse',
  },
  method_not_allowed: {
    stage: 'fit',
    status: 405,
    title: 'This method is not allowed here',
    detail: 'The path exists, but not with this method. The Allow header lists those that do.',
    log: 'no route for the method, unmatched: refuse',
  },
  request_invalid: {
    stage: 'fit',
    status: 400,
    title: 'The request does not fit the description of the operation',
    detail:
      'A parameter or the body is missing, or is not what the reference of the API says. Correct what is named here and send the request again.',
    log: 'request differs from the OpenAPI description',
  },
  // limits
  rate_limited: {
    stage: 'limits',
    status: 429,
    title: 'Too many requests',
    detail: 'A rate limit is spent. Wait for the time in Retry-After.',
    log: 'rate limit spent',
    holderOnly: true,
  },
  quota_exceeded: {
    stage: 'limits',
    status: 429,
    title: 'The quota is used up',
    detail:
      'A quota of the plan or the credential is used up for this period. Retry-After says when the next one begins.',
    log: 'quota spent',
    holderOnly: true,
  },
  budget_exceeded: {
    stage: 'limits',
    status: 429,
    title: 'The budget is used up',
    detail:
      'A budget of tokens or money has less left for this period than the request may take. Retry-After says when the next period begins; a request with a lower bound of output tokens may still fit.',
    log: 'budget of tokens or money spent',
    holderOnly: true,
  },
  // oauth: what the token, introspection, revocation and authorization endpoints say
  served_by_postern: {
    stage: 'match',
    status: 421,
    title: 'Postern serves this address itself',
    detail:
      'This is an endpoint for tokens, and nobody decides about it for somebody else: send the request to the gateway of Postern, or to its console.',
    log: 'decision asked for an endpoint of our own',
  },
  oauth_request_invalid: {
    stage: 'oauth',
    status: 400,
    title: 'The request is not well-formed',
    detail:
      'A parameter is missing, comes twice, stands in the wrong place, or has a value that it cannot have. Correct what is named here and send the request again.',
    log: 'parameters missing, doubled, misplaced or malformed',
    oauthError: 'invalid_request',
  },
  oauth_method_not_allowed: {
    stage: 'oauth',
    status: 405,
    title: 'This method is not allowed here',
    detail: 'The Allow header lists the methods that this endpoint serves.',
    log: 'method not served by the endpoint',
    oauthError: 'invalid_request',
  },
  oauth_body_too_large: {
    stage: 'oauth',
    status: 413,
    title: 'The request body is too large',
    detail: 'No request to this endpoint needs that much. Send its parameters alone.',
    log: 'body over the bound of the endpoint',
    oauthError: 'invalid_request',
  },
  client_missing: {
    stage: 'oauth',
    status: 401,
    title: 'No client was named',
    detail:
      'The request has to say which client it comes from: by Basic authentication, or by client_id and client_secret in the body.',
    log: 'no client authentication and no client_id',
    oauthError: 'invalid_client',
  },
  client_ambiguous: {
    stage: 'oauth',
    status: 400,
    title: 'The client authenticates in more than one way',
    detail: 'Use one way alone: Basic authentication, or client_id and client_secret in the body, never both.',
    log: 'more than one method of client authentication, or two different clients',
    oauthError: 'invalid_request',
  },
  client_unauthenticated: {
    stage: 'oauth',
    status: 401,
    title: 'The client could not be authenticated',
    detail: 'Client authentication failed: the client is unknown, its secret is wrong, or it did not send one.',
    log: 'a confidential client named itself without its secret, or the endpoint needs an authenticated one',
    oauthError: 'invalid_client',
  },
  client_method_unsupported: {
    stage: 'oauth',
    status: 401,
    title: 'This way of client authentication is not supported',
    detail: 'Use Basic authentication, or client_id and client_secret in the body.',
    log: 'scheme or method of client authentication not supported',
    oauthError: 'invalid_client',
  },
  grant_type_unsupported: {
    stage: 'oauth',
    status: 400,
    title: 'This grant type is not supported',
    detail: 'There are authorization_code, client_credentials and refresh_token.',
    log: 'grant_type not supported',
    oauthError: 'unsupported_grant_type',
  },
  grant_type_not_allowed: {
    stage: 'oauth',
    status: 400,
    title: 'The client may not use this grant type',
    detail: 'This client was not registered for the grant type. Have it added, or use another client.',
    log: 'grant_type or response_type outside of what the client was registered for',
    oauthError: 'unauthorized_client',
    holderOnly: true,
  },
  resource_invalid: {
    stage: 'oauth',
    status: 400,
    title: 'The resource cannot be granted',
    detail:
      'A token is for exactly one API. The resource that was named is none that this client may have, or several were named, or none was although the client has several: name one in `resource`.',
    log: 'resource unknown, not the client’s, ambiguous or missing',
    oauthError: 'invalid_target',
  },
  scope_invalid: {
    stage: 'oauth',
    status: 400,
    title: 'The scope cannot be granted',
    detail: 'A scope that was asked for is unknown, malformed, or beyond what may be granted here. Ask for less.',
    log: 'scope unknown, malformed or beyond what may be granted',
    oauthError: 'invalid_scope',
  },
  code_unknown: {
    stage: 'oauth',
    status: 400,
    title: 'The authorization code is not valid',
    detail:
      'The authorization code is unknown, expired, used, or was issued for another request. Start the authorization again.',
    log: 'no such authorization code, or malformed',
    oauthError: 'invalid_grant',
  },
  code_expired: {
    stage: 'oauth',
    status: 400,
    title: 'The authorization code is not valid',
    detail:
      'The authorization code is unknown, expired, used, or was issued for another request. Start the authorization again.',
    log: 'authorization code past its end',
    oauthError: 'invalid_grant',
  },
  code_reused: {
    stage: 'oauth',
    status: 400,
    title: 'The authorization code is not valid',
    detail:
      'The authorization code is unknown, expired, used, or was issued for another request. Start the authorization again.',
    log: 'authorization code redeemed again: all that it issued is revoked',
    oauthError: 'invalid_grant',
  },
  code_mismatch: {
    stage: 'oauth',
    status: 400,
    title: 'The authorization code is not valid',
    detail:
      'The authorization code is unknown, expired, used, or was issued for another request. Start the authorization again.',
    log: 'authorization code of another client, redirect_uri or resource; it is spent',
    oauthError: 'invalid_grant',
  },
  code_revoked: {
    stage: 'oauth',
    status: 400,
    title: 'The authorization code is not valid',
    detail:
      'The authorization code is unknown, expired, used, or was issued for another request. Start the authorization again.',
    log: 'the consent was withdrawn, or the person may not sign in any more',
    oauthError: 'invalid_grant',
  },
  verifier_mismatch: {
    stage: 'oauth',
    status: 400,
    title: 'The code verifier does not fit',
    detail:
      'code_verifier is missing, or is not the one that the authorization request was made with. The authorization code is spent: start the authorization again.',
    log: 'code_verifier missing or wrong; the authorization code is spent',
    oauthError: 'invalid_grant',
  },
  refresh_unknown: {
    stage: 'oauth',
    status: 400,
    title: 'The refresh token is not valid',
    detail: 'The refresh token is unknown, expired, revoked, used, or belongs to another client. Sign in again.',
    log: 'no such refresh token, malformed, or of another client',
    oauthError: 'invalid_grant',
  },
  refresh_expired: {
    stage: 'oauth',
    status: 400,
    title: 'The refresh token is not valid',
    detail: 'The refresh token is unknown, expired, revoked, used, or belongs to another client. Sign in again.',
    log: 'refresh token past its end',
    oauthError: 'invalid_grant',
  },
  refresh_revoked: {
    stage: 'oauth',
    status: 400,
    title: 'The refresh token is not valid',
    detail: 'The refresh token is unknown, expired, revoked, used, or belongs to another client. Sign in again.',
    log: 'refresh token revoked',
    oauthError: 'invalid_grant',
  },
  refresh_raced: {
    stage: 'oauth',
    status: 400,
    title: 'The refresh token was used a moment ago',
    detail:
      'The same refresh token was used a moment ago, by another request of this client. Use the tokens that were issued then.',
    log: 'refresh token used again within the grace period: the family lives',
    oauthError: 'invalid_grant',
    holderOnly: true,
  },
  refresh_reused: {
    stage: 'oauth',
    status: 400,
    title: 'The refresh token is not valid',
    detail: 'The refresh token is unknown, expired, revoked, used, or belongs to another client. Sign in again.',
    log: 'rotated refresh token used again: its family is revoked',
    oauthError: 'invalid_grant',
  },
  redirect_uri_mismatch: {
    stage: 'oauth',
    status: 400,
    title: 'The redirect URI is not registered',
    detail:
      'The application asked to send you to an address that it is not registered with, so nothing was sent there. Go back, and tell the makers of the application.',
    log: 'redirect_uri missing, doubled or not registered with the client',
    oauthError: 'invalid_request',
  },
  authorization_client_unknown: {
    stage: 'oauth',
    status: 400,
    title: 'The application is not known',
    detail:
      'The application that sent you here is not known, or may not ask for access at the moment. Go back, and tell its makers.',
    log: 'client_id missing, doubled, unknown, no OAuth client, or not live',
    oauthError: 'invalid_client',
  },
  response_type_unsupported: {
    stage: 'oauth',
    status: 400,
    title: 'This response type is not supported',
    detail: 'There is `code` alone.',
    log: 'response_type not supported',
    oauthError: 'unsupported_response_type',
  },
  request_object_unsupported: {
    stage: 'oauth',
    status: 400,
    title: 'Request objects are not supported',
    detail: 'Send the parameters of the authorization request by themselves.',
    log: 'request object in an authorization request',
    oauthError: 'request_not_supported',
  },
  request_uri_unsupported: {
    stage: 'oauth',
    status: 400,
    title: 'Requests by reference are not supported',
    detail: 'Send the parameters of the authorization request by themselves.',
    log: 'request_uri in an authorization request',
    oauthError: 'request_uri_not_supported',
  },
  challenge_missing: {
    stage: 'oauth',
    status: 400,
    title: 'The code challenge is missing',
    detail: 'Every authorization request needs code_challenge with code_challenge_method=S256 (RFC 7636).',
    log: 'code_challenge missing, malformed, or not S256',
    oauthError: 'invalid_request',
  },
  authorization_denied: {
    stage: 'oauth',
    status: 400,
    title: 'Access was not allowed',
    detail: 'The person who was asked did not allow it.',
    log: 'consent refused, or sign-in or consent needed with prompt=none',
    oauthError: 'access_denied',
  },
  // forward
  upstream_unreachable: {
    stage: 'forward',
    status: 502,
    title: 'The API behind this gateway cannot be reached',
    detail: 'The request was allowed, but the API did not answer properly. Try again later.',
    log: 'connect to, or answer of, the upstream failed',
  },
  upstream_timeout: {
    stage: 'forward',
    status: 504,
    title: 'The API behind this gateway did not answer in time',
    detail:
      'The request was allowed and sent on, but no answer came in time. It may still have had an effect: look before you send it again.',
    log: 'upstream timed out',
  },
  connection_unavailable: {
    stage: 'forward',
    status: 503,
    title: 'The credential for the API behind this gateway is not available',
    detail:
      'The request was allowed, but the gateway has no usable credential for the API that it goes to, so it was not sent on. Where that is a connection of your own project, create, enable or rotate it; otherwise tell the provider. Operators: see `postern connection list`, and `postern connection platforms` for those whose credential travels in the body, which cannot be injected.',
    log: 'connection absent, disabled, ambiguous, sealed with another key or for the body; see connection_reason',
  },
  maintenance: {
    stage: 'forward',
    status: 503,
    title: 'The API is under maintenance',
    detail: 'The provider has paused this API. Try again after the time in Retry-After.',
    log: 'maintenance declared',
  },
  // management
  body_invalid: {
    stage: 'management',
    status: 400,
    title: 'The request body or query is not valid',
    detail:
      'A field is missing, unknown, or has a wrong value. `errors` names each one; correct them and send it again.',
    log: 'request fails its schema',
  },
  not_found: {
    stage: 'management',
    status: 404,
    title: 'Not found',
    detail: 'There is nothing at this address or with this id, or it is not yours to see. Check both.',
    log: 'not found',
  },
  permission_missing: {
    stage: 'management',
    status: 403,
    title: 'This management credential may not do that',
    detail:
      'The management credential is good, but lacks the right that this operation needs. `missing_scopes` names it. Use one that has it, or have one made by somebody who may.',
    log: 'management right not held',
  },
  rights_exceeded: {
    stage: 'management',
    status: 403,
    title: 'More rights were asked for than may be given',
    detail:
      'A credential can carry only what both its plan and its creator have. `errors` names what is too much; ask for less, or change the plan.',
    log: 'rights above plan or creator',
  },
  window_closed: {
    stage: 'management',
    status: 410,
    title: 'The secret can no longer be shown',
    detail: 'Its visibility window is over and no copy exists any more. Rotate the credential to get a new secret.',
    log: 'reveal outside the window',
  },
  conflict: {
    stage: 'management',
    status: 409,
    title: 'The current state does not allow that',
    detail:
      'The resource is in a state, or something with that name exists, that does not allow this operation. Read it again to see which.',
    log: 'conflict',
  },
  idempotency_running: {
    stage: 'management',
    status: 409,
    title: 'The same request is still running',
    detail: 'A request with this Idempotency-Key has not finished. Wait a moment and send it again.',
    log: 'idempotency key in use',
  },
  version_mismatch: {
    stage: 'management',
    status: 412,
    title: 'The resource has changed since',
    detail: 'If-Match does not name the current version. Read it again and repeat the change on top of it.',
    log: 'If-Match does not match',
  },
  precondition_required: {
    stage: 'management',
    status: 428,
    title: 'If-Match is required',
    detail: "A change needs If-Match with the version that you have read, so that nobody's change is overwritten.",
    log: 'If-Match absent',
  },
  idempotency_mismatch: {
    stage: 'management',
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    detail: 'The same Idempotency-Key came with a different body before. Use a new key for a new request.',
    log: 'idempotency key with another body',
  },
  not_acceptable_value: {
    stage: 'management',
    status: 422,
    title: 'A value cannot be accepted',
    detail:
      'The request is well-formed, but a value does not fit what is declared. `errors` names it; correct it and send it again.',
    log: 'value refused by the configuration',
  },
  storage_full: {
    stage: 'management',
    status: 507,
    title: 'The storage is full',
    detail:
      'Nothing more can be written for now. Requests are still decided, and revoke, block, compromise and suspend still work. The operator has to free space.',
    log: 'no space left for this write',
  },
  store_unavailable: {
    stage: 'management',
    status: 503,
    title: 'The store cannot be reached',
    detail: 'The change was not made because the database does not answer. Try again after the time in Retry-After.',
    log: 'store unreachable',
  },
} as const satisfies Record<string, CodeRow>

export type Code = keyof typeof codes

/** The row of a code, with the optional fields of `CodeRow` readable. */
export function codeRow(code: Code): CodeRow {
  return codes[code]
}

/** What an OAuth endpoint calls any code: its row says so, or its stage does. */
export function oauthErrorOf(code: Code): OAuthError {
  const { oauthError, stage, status } = codeRow(code)
  if (oauthError !== undefined) return oauthError
  if (status === 429 || status === 503 || status === 507) return 'temporarily_unavailable'
  if (status >= 500) return 'server_error'
  switch (stage) {
    case 'known':
    case 'state':
      return 'invalid_client'
    case 'fit':
      return 'unauthorized_client'
    case 'wire':
    case 'transport':
    case 'match':
    case 'present':
    case 'limits':
    case 'oauth':
    case 'forward':
    case 'management':
      return 'invalid_request'
  }
}

/** The status that goes with it there (RFC 6749, section 5.2): 401 and 400, but for what is no matter of OAuth. */
export function oauthStatusOf(code: Code): number {
  const error = oauthErrorOf(code)
  if (error === 'invalid_client') return 401
  return error === 'unauthorized_client' ? 400 : codeRow(code).status
}

export function isCode(text: string): text is Code {
  return Object.hasOwn(codes, text)
}
