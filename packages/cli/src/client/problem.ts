import type { wire } from '@postern/contract'

import { exit, Stop, type ExitCode } from '../stop.ts'

/** What a failed call answered. */
type Problem = Partial<wire.Problem>

/** A refusal of the management API in words for people. */
export function problemStop(response: Response, body: string): Stop {
  const problem = read(body)
  const code = problem.code ?? `status_${response.status}`
  const errors = (problem.errors ?? []).map(({ path, message }) => `${path} ${message}`.trim())
  const missing = (problem.missing_scopes ?? []).join(', ')
  return new RefusedByServer(code, response.status, exitCodeOf(response.status), {
    what: `${problem.title ?? `The server answered ${response.status}`} (${response.status} ${code})`,
    why: [problem.detail ?? 'It did not say why.', ...errors, ...(missing === '' ? [] : [`Missing: ${missing}.`])].join(
      ' ',
    ),
    next: advice[code] ?? fallbackAdvice(response.status),
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

const list = 'npx postern key list'

const advice: Readonly<Record<string, string>> = {
  credential_missing: 'export POSTERN_MANAGEMENT_KEY=…',
  credential_malformed: 'export POSTERN_MANAGEMENT_KEY=…   (copied in full, without quotes or spaces)',
  credential_unknown: 'export POSTERN_MANAGEMENT_KEY=…   (the key of this server: see its data folder)',
  permission_missing: 'npx postern key create --kind management …   (made by somebody who has the right)',
  rights_exceeded: 'Ask for less, or change the plan in postern.yaml.',
  not_found: list,
  window_closed: 'npx postern key rotate <id>',
  version_mismatch: 'Run the command again.',
  storage_full: 'npx postern doctor',
  store_unavailable: 'npx postern doctor',
  api_unknown: 'npx postern doctor   (POSTERN_URL must be the address of the console)',
}

function fallbackAdvice(status: number): string {
  if (status === 429) return 'Wait a moment, then run the command again.'
  return status >= 500 ? 'npx postern doctor' : 'Correct it and run the command again; --help shows the options.'
}
