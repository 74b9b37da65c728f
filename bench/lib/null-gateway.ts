import { systemClock } from '../../packages/server/src/base/clock.ts'
import { createIds } from '../../packages/server/src/base/ids.ts'
import { systemRandom } from '../../packages/server/src/base/random.ts'
import { formatConfigError, loadConfig } from '../../packages/server/src/config/index.ts'
import type { Evaluation } from '../../packages/server/src/core/decision/evaluation.ts'
import { createGateway } from '../../packages/server/src/gateway/gateway.ts'

/** Run as a process of its own: the same gateway, over a data plane that allows everything without looking. */
const loaded = loadConfig({ path: process.argv[2] ?? '', env: process.env })
if (!loaded.ok) throw new Error(loaded.error.map(formatConfigError).join('\n'))
const { declaration, listen } = loaded.value
const api = declaration.apis.get('shop')
const route = api?.routes.routes[0]
if (api === undefined || route === undefined) throw new Error('the API shop has a route')

const allowed: Evaluation = {
  allowed: true,
  refusal: null,
  api,
  route,
  prefixLength: 0,
  query: '',
  environment: 'live',
  clientIp: 0,
  secure: false,
  presented: null,
  principal: null,
  charge: null,
  corsOrigin: null,
  preflight: false,
  checks: 0,
  trace: null,
  exposed: null,
}

const gateway = createGateway({
  dataPlane: {
    declaration: () => declaration,
    evaluate: () => allowed,
    settle: (evaluation) => evaluation,
    charge: () => null,
    answer: () => ({ status: 500, headers: [], body: '' }),
    limitHeaders: () => [],
    corsHeaders: () => [],
    identityHeaders: () => [],
    meter: () => {},
  },
  clock: systemClock,
  ids: createIds(systemClock, systemRandom),
  reportFault: (event, _fields, error) => console.error(event, error),
})
const listening = await gateway.listen([listen.gateway])
if (!listening.ok) throw new Error('the port is taken')
process.stdout.write('{"ready":true}\n')
