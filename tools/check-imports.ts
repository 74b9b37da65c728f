import { cruise, type ICruiseResult, type IRegularForbiddenRuleType } from 'dependency-cruiser'

/**
 * The fewest modules that a check may have read. A checker that reads nothing finds nothing wrong, so this number is
 * raised as the code grows, to about nine tenths of what the check reports.
 */
const modulesMin = 330

const server = '^packages/server/src'
const contract = '^packages/contract/'
const tests = '[.]test[.]ts$'
/** Not what npm puts below a package because another version lies above. */
const ours = '^packages/[^/]+/(?!node_modules/)'

/** What reaches the network, a database or another thread. */
const outside =
  '^(node:)?(http|https|http2|net|tls|dgram|worker_threads)$|(^|/)node_modules/(@types/)?(kysely|pg|better-sqlite3|fastify)/'

const rules: IRegularForbiddenRuleType[] = [
  forbid('contract-sees-none', { path: contract }, { path: ours, pathNot: contract }),
  forbid('base-sees-nothing', { path: `${server}/base/` }, { path: ours, pathNot: `${server}/base/` }),
  forbid('core-sees-base', { path: `${server}/core/` }, { path: ours, pathNot: [`${server}/(core|base)/`, contract] }),
  forbid(
    'parts-see-core',
    { path: `${server}/(store|gateway|oauth|management|identity|presets|ops|tls|outbound)/` },
    { path: ours, pathNot: [`${server}/($1|core|base)/`, contract] },
  ),
  forbid(
    'config-sees-presets',
    { path: `${server}/config/` },
    { path: ours, pathNot: [`${server}/(config|presets|core|base)/`, contract] },
  ),
  forbid(
    'only-app-sees-store',
    { path: '^packages/', pathNot: [`${server}/store/`, `${server}/(app|offline|index)([.]test)?[.]ts$`] },
    { path: `${server}/store/` },
  ),
  forbid(
    'only-main-sees-app',
    { path: '^packages/', pathNot: `${server}/(app|main|index)([.]test)?[.]ts$` },
    { path: `${server}/(app|main)[.]ts$` },
  ),
  forbid(
    'server-by-its-index',
    { path: '^packages/', pathNot: '^packages/server/' },
    { path: '^packages/server/', pathNot: `${server}/index[.]ts$` },
  ),
  forbid('server-sees-no-cli', { path: '^packages/server/' }, { path: '^packages/cli/' }),
  // A test may play the network that the code under test never sees; `isIP` only reads a text.
  forbid(
    'core-no-http-no-sql',
    { path: `${server}/(core|base)/`, pathNot: [tests, `${server}/base/ip[.]ts$`] },
    { path: outside },
  ),
  forbid('no-cycle', {}, { circular: true }),
  forbid('not-resolved', {}, { couldNotResolve: true }),
]

function forbid(
  name: string,
  from: IRegularForbiddenRuleType['from'],
  to: IRegularForbiddenRuleType['to'],
): IRegularForbiddenRuleType {
  return { name, severity: 'error', from, to }
}

const { output } = await cruise(['packages'], {
  ruleSet: { forbidden: rules },
  validate: true,
  parser: 'swc',
  tsPreCompilationDeps: true,
  doNotFollow: { path: 'node_modules' },
  exclude: { path: '^packages/[^/]+/dist/' },
  enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
})
// Validation is asked for above, so the answer is the result itself and not a report as text.
const { modules, summary } = output as ICruiseResult
const checked = modules.filter(({ source }) => source.startsWith('packages/')).length

for (const { rule, from, to } of summary.violations) console.error(`${rule.name}: ${from} → ${to}`)
if (checked < modulesMin) {
  console.error(`only ${checked} modules were checked, at least ${modulesMin} were expected`)
}
console.log(`${checked} modules checked, ${summary.violations.length} forbidden imports`)
process.exitCode = summary.error > 0 || checked < modulesMin ? 1 : 0
