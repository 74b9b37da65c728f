import type { Seen } from './side.ts'

/** A difference that is meant, and why. `names` begin so; `fields` are those that may differ, ours as said. */
interface Difference {
  readonly names: RegExp
  readonly ours: Partial<Seen>
  readonly reason: string
}

/** Where Postern answers otherwise than node-oidc-provider, each with what it rests on. Every one has to be met. */
export const differences: readonly Difference[] = [
  {
    names:
      /^(token|introspect|revoke): (with none|empty secret by Basic|another scheme|Bearer instead of Basic|secret alone by body)$/,
    ours: { status: 401, error: 'invalid_client', challenge: 'Basic' },
    reason:
      'RFC 6749, section 5.2: a client that does not authenticate, or by a method that is not supported, is invalid_client; where it came by the Authorization header the answer is 401 with a challenge.',
  },
  {
    names: /^(token|introspect|revoke): secret too long$/,
    ours: { status: 400, error: 'invalid_request' },
    reason: 'Parameters are bounded: what no secret can be is malformed (RFC 6749, section 5.2), and is not compared.',
  },
  {
    names: /^revoke: /,
    ours: { noStore: true },
    reason: 'Statement 47: answers about tokens are not kept by anybody, those of revocation either.',
  },
  {
    names: /^revoke: /,
    ours: { json: true },
    reason: 'RFC 7009, section 2.2, leaves the body open; `{}` is what clients can read that expect JSON.',
  },
  {
    names: /: (GET|PUT)$/,
    ours: { status: 405, error: 'invalid_request', json: true, noStore: true },
    reason: 'RFC 9110, section 15.5.6: the endpoint is there, but not with this method; Allow says which.',
  },
  {
    names: /^(token|client_credentials): /,
    ours: { scope: 'orders.read orders.write' },
    reason: 'RFC 6749, section 3.3: without `scope` the default is granted, and what was granted is said.',
  },
  {
    names: /: (a client that may not|by a client that may not)$/,
    ours: { status: 400, error: 'unauthorized_client' },
    reason: 'RFC 6749, section 5.2: the client is known, and is not authorized to use this grant type.',
  },
  {
    names: /^authorize: response_type /,
    ours: { error: 'unsupported_response_type', state: 'the state', iss: true },
    reason:
      'RFC 6749, section 4.1.2.1: told in the query. The other side answers in the fragment that such a response type would use (statement 9: none of them is offered here).',
  },
  {
    names: /^authorize: redirect_uri twice$/,
    ours: { status: 400, error: null, redirect: 'none', state: null, iss: false },
    reason: 'RFC 6749, section 3.1, and statement 5: a redirect URI that is not known for certain is not followed.',
  },
  {
    names: /^authorize: an unknown scope$/,
    ours: { error: 'invalid_scope', redirect: 'client', state: 'the state', iss: true },
    reason: 'RFC 6749, section 4.1.2.1: never silently less than what was asked for.',
  },
  {
    names: /^authorize: response_mode fragment$/,
    ours: { error: 'invalid_request', redirect: 'client', state: 'the state', iss: true },
    reason: 'RFC 9700, section 4.1: answers are in the query alone, which metadata says.',
  },
  {
    names: /^code: (a short verifier|a verifier too long|an unknown resource)$/,
    ours: { error: 'invalid_grant' },
    reason: 'Statements 17 and 19: what does not fit the code is invalid_grant, and the code is spent.',
  },
  {
    names: /^code: no redirect URI$/,
    ours: { status: 400, error: 'invalid_grant', members: [], scope: null },
    reason: 'RFC 6749, section 4.1.3: where the authorization request had it, the token request must have it too.',
  },
  {
    names: /^code: right after a wrong verifier$/,
    ours: { status: 400, error: 'invalid_grant', members: [], scope: null },
    reason: 'Statement 17: a wrong verifier spends the code, so that nobody can guess on.',
  },
  {
    names: /^refresh: widened$/,
    ours: { scope: null },
    reason: 'RFC 6749, section 5.2 has no member `scope` in an error.',
  },
  {
    names: /^introspect: a live refresh token$/,
    ours: { scope: 'orders.read orders.write' },
    reason: 'The other side needs `openid offline_access` to give a refresh token at all.',
  },
  {
    names: /^introspect: a public client's own token$/,
    ours: { status: 401, error: 'invalid_client', members: [], scope: null, active: null, iss: false },
    reason:
      'RFC 7662, section 2.1: whoever introspects has to be authorized, and a public client cannot prove who it is.',
  },
  {
    names: /^introspect: another client's token$/,
    ours: { active: false, members: [], scope: null, iss: false },
    reason: 'RFC 7662, section 4: a client is told nothing of tokens that are not its own or meant for it.',
  },
  {
    names: /^revoke: another client's token$/,
    ours: { status: 200, error: null },
    reason:
      'RFC 7009, section 2.1, lets it be refused. Whether there is such a token is not told; it stays as it is (see the probe after it).',
  },
]
