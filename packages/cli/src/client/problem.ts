import type { wire } from '@postern/contract'

import { exit, Stop, type ExitCode } from '../stop.ts'

/** What a failed call answered. */
type Problem = Partial<wire.Problem>

/** A refusal of the management API in words for people. */
export function problemStop(response: Response, body: string): Stop {
  const problem = read(body)
  const code = problem.code ?? `status_${response.status}`
  const missing = (problem.missing_scopes ?? []).join(', ')
  return new RefusedByServer(code, response.status, exitCodeOf(response.status), {
    what: `${problem.title ?? `The server answered ${response.status}`} (${response.status} ${code})`,
    why: [reasonOf(problem), ...(missing === '' ? [] : [`Missing: ${missing}.`])].join(' '),
    next: advice[code]?.(response.url) ?? fallbackAdvice(response.status),
    requestId: problem.request_id ?? response.headers.get('x-request-id') ?? undefined,
    docs: problem.type,
  })
}

/** A `Stop` that still knows what the server said. */
export class RefusedByServer extends Stop {
  readonly problemCode: string
  readonly status: number

  constructor(problemCode: string, status: number, code: ExitCode, explanation: Stop['explanation']) {
    super(code, explanation)
    this.problemCode = problemCode
    this.status = status
  }
}

function read(body: string): Problem {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

function exitCodeOf(status: number): ExitCode {
  return status === 401 || status === 403 ? exit.notAllowed : exit.failed
}

/** The faults by name, where the server names them; else its sentence, without the fields that a person does not see. */
function reasonOf({ detail, errors = [] }: Problem): string {
  if (errors.length > 0) {
    const faults = errors.map(({ path, message }) => (path === '' ? message : `${optionOf(path)}: ${message}`))
    return `${faults.join('; ')}.`
  }
  return detail === undefined ? 'It did not say why.' : withoutFields(detail)
}

/** A sentence of the API without the names of fields that a person does not see. */
export function withoutFields(detail: string): string {
  return detail.replaceAll(/ `[a-z_]+` names [^.]*\./g, '')
}

/** A field of the API as the command line calls it. */
function optionOf(path: string): string {
  const [field = '', ...below] = path.replace(/^\/(?:oauth\/)?/, '').split('/')
  const option = options[field]
  if (option === undefined) return [field, ...below].join('.')
  const place = Number(below[0])
  return Number.isInteger(place) && place > 0 ? `${option} (${place + 1})` : option
}

const options: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'name',
      'plan',
      'kind',
      'role',
      'metadata',
      'overlap',
      'reason',
      'until',
      'since',
      'state',
      'action',
      'code',
      'status',
      'from',
      'to',
      'step',
      'limit',
      'search',
      'method',
      'path',
      'ip',
      'host',
      'scheme',
      'account',
      'project',
      'platform',
      'credential',
      'api',
      'email',
      'client',
      'grant',
      'user',
      'token',
    ].map((name) => [name, `--${name}`]),
  ),
  apis: '--api',
  scopes: '--scope',
  ip_allow: '--ip',
  origin_allow: '--origin',
  not_before: '--not-before',
  expires_at: '--expires',
  group_by: '--by',
  headers: '--header',
  expires_in: '--expires-in',
  redirect_uris: '--redirect-uri',
  grant_types: '--grant-type',
}

/** The command that shows what is there, by what the call was about. */
function listFor(url: string): string {
  const resource = /\/api\/v1\/([a-z-]+)/.exec(url)?.[1] ?? ''
  return `npx postern ${lists[resource] ?? 'key list'}`
}

const lists: Readonly<Record<string, string>> = {
  accounts: 'account list',
  projects: 'project list',
  apis: 'config check   (it says which APIs postern.yaml declares)',
  explain: 'requests',
  requests: 'requests',
  connections: 'connection list',
  platforms: 'connection platforms',
  tokens: 'token list',
  grants: 'grant list',
  members: 'member list',
  invitations: 'invitation list',
  users: 'user list',
  'signing-keys': 'signing-keys list',
}

const advice: Readonly<Record<string, (url: string) => string>> = {
  credential_missing: () => 'export POSTERN_MANAGEMENT_KEY=…',
  credential_malformed: () => 'export POSTERN_MANAGEMENT_KEY=…   (copied in full, without quotes or spaces)',
  credential_unknown: () => 'export POSTERN_MANAGEMENT_KEY=…   (the key of this server: see its data folder)',
  permission_missing: () => 'npx postern key create --kind management …   (made by somebody who has the right)',
  rights_exceeded: () => 'Ask for less, or change the plan in postern.yaml.',
  not_found: listFor,
  conflict: (url) => `${listFor(url)}   (shows the state)`,
  window_closed: () => 'npx postern key rotate <id>',
  version_mismatch: () => 'Run the command again.',
  storage_full: () => 'npx postern doctor',
  store_unavailable: () => 'npx postern doctor',
  api_unknown: () => 'npx postern doctor   (POSTERN_URL must be the address of the console)',
}

function fallbackAdvice(status: number): string {
  if (status === 429) return 'Wait a moment, then run the command again.'
  return status >= 500 ? 'npx postern doctor' : 'Correct it and run the command again; --help shows the options.'
}
