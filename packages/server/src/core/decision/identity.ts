import type { Evaluation } from './evaluation.ts'

/**
 * Who the request is, for the upstream: always all ten, empty where there is no value, so that nothing that a
 * client sent under these names can shine through. Of a token under a grant the credential is the client, and account,
 * project and environment are those of who consented.
 */
export function identityHeaders(evaluation: Evaluation, requestId: string): readonly string[] {
  const { principal, api } = evaluation
  return [
    'X-Postern-Credential',
    principal?.credential ?? '',
    'X-Postern-Kind',
    principal?.kind ?? '',
    'X-Postern-Account',
    principal?.account ?? '',
    'X-Postern-Project',
    principal?.project ?? '',
    'X-Postern-Environment',
    principal?.environment ?? '',
    'X-Postern-Api',
    api?.id ?? '',
    'X-Postern-Scopes',
    principal === null ? '' : principal.scopes.join(' '),
    'X-Postern-Subject',
    principal?.subject ?? '',
    'X-Postern-Grant',
    principal?.grant ?? '',
    'X-Postern-Request',
    requestId,
  ]
}
