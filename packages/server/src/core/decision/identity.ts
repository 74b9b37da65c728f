import type { Principal } from '../records/principal.ts'
import type { Evaluation } from './evaluation.ts'

/**
 * Who the request is, for the upstream: always all ten, empty where there is no value, so that nothing that a
 * client sent under these names can shine through. Subject and grant are filled with OAuth.
 */
export function identityHeaders({ principal, api }: Evaluation, requestId: string): readonly string[] {
  return [...callerHeaders(principal, api?.id ?? ''), 'X-Postern-Request', requestId]
}

/** All but the request's own id. `api` is the id of the API. These two alone say what is in them, so that whoever forwards may keep it. */
export function callerHeaders(principal: Principal | null, api: string): readonly string[] {
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
    api,
    'X-Postern-Scopes',
    principal === null ? '' : principal.scopes.join(' '),
    'X-Postern-Subject',
    '',
    'X-Postern-Grant',
    '',
  ]
}
