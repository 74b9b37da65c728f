import { systemClock } from '../../packages/server/src/base/clock.ts'
import { createIds } from '../../packages/server/src/base/ids.ts'
import { systemRandom } from '../../packages/server/src/base/random.ts'
import { keepTicksFast } from '../../packages/server/src/base/ticks.ts'
import { formatConfigError, loadConfig } from '../../packages/server/src/config/index.ts'
import { corsHeaders } from '../../packages/server/src/core/decision/answer.ts'
import type { Evaluation } from '../../packages/server/src/core/decision/evaluation.ts'
import type { RequestFacts } from '../../packages/server/src/core/decision/facts.ts'
import { callerHeaders, identityHeaders } from '../../packages/server/src/core/decision/identity.ts'
import { match } from '../../packages/server/src/core/decision/match.ts'
import { Trail } from '../../packages/server/src/core/decision/trail.ts'
import type { Principal } from '../../packages/server/src/core/records/principal.ts'
import { createGateway } from '../../packages/server/src/gateway/gateway.ts'

/**
 * Run as a process of its own: the same gateway without authentication, limits, counting and log. Address, path and
 * route are matched, and the upstream is told of a client: always the same one, without a look.
 */
keepTicksFast()
const loaded = loadConfig({ path: process.argv[2] ?? '', env: process.env })
if (!loaded.ok) throw new Error(loaded.error.map(formatConfigError).join('\n'))
const { declaration, listen } = loaded.value

const everybody: Principal = {
  row: 0,
  secretRow: 0,
  generation: 0,
  credential: 'cred_000000000000',
  secret: 'sec_00000000000000000000000000000000',
  publicId: '000000000000',
  kind: 'secret',
  account: 'acc_00000000000000000000000000000000',
  project: 'prj_00000000000000000000000000000000',
  environment: 'live',
  region: null,
  scopes: ['orders.read'],
}

function evaluate(facts: RequestFacts): Evaluation {
  const trail = new Trail(false)
  const { api, route, prefixLength, query, client, refusal, unmatched } = match(facts, declaration, trail)
  return {
    allowed: refusal === null && unmatched === null,
    refusal: refusal ?? unmatched,
    api,
    route,
    prefixLength,
    query,
    environment: everybody.environment,
    clientIp: client.ip,
    secure: client.secure,
    presented: null,
    principal: everybody,
    charge: null,
    corsOrigin: null,
    preflight: false,
    checks: trail.checks,
    trace: null,
    exposed: null,
  }
}

const gateway = createGateway({
  dataPlane: {
    declaration: () => declaration,
    evaluate,
    settle: (evaluation) => evaluation,
    charge: () => null,
    answer: () => ({ status: 500, headers: [], body: '' }),
    limitHeaders: () => [],
    corsHeaders,
    identityHeaders,
    callerHeaders,
    meter: () => {},
  },
  clock: systemClock,
  ids: createIds(systemClock, systemRandom),
  reportFault: (event, _fields, error) => console.error(event, error),
})
const listening = await gateway.listen([listen.gateway])
if (!listening.ok) throw new Error('the port is taken')
process.stdout.write('{"ready":true}\n')
