import { parseArgs } from 'node:util'

import type { Bench, Report } from './lib/bench.ts'
import { reportText } from './lib/print.ts'

/** In the order in which `all` runs them. A bench is loaded only when it is run. */
const benches: readonly { readonly name: string; readonly load: () => Promise<Bench> }[] = [
  { name: 'decide', load: async () => (await import('./decide.ts')).decide },
  { name: 'timing', load: async () => (await import('./timing.ts')).timing },
  { name: 'usage', load: async () => (await import('./usage.ts')).usage },
  { name: 'memory', load: async () => (await import('./memory.ts')).memory },
  { name: 'kill', load: async () => (await import('./kill.ts')).kill },
  { name: 'revoke', load: async () => (await import('./revoke.ts')).revoke },
  { name: 'gateway', load: async () => (await import('./gateway.ts')).gateway },
  { name: 'verify', load: async () => (await import('./verify.ts')).verify },
  { name: 'oauth', load: async () => (await import('./oauth.ts')).oauth },
  { name: 'streams', load: async () => (await import('./streams.ts')).streams },
  { name: 'latency', load: async () => (await import('./latency.ts')).latency },
  { name: 'soak', load: async () => (await import('./soak.ts')).soak },
]

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
})

const [asked] = positionals
if (asked === undefined) await list()
else await runAll(asked === 'all' ? benches : benches.filter(({ name }) => positionals.includes(name)))

async function list(): Promise<void> {
  for (const { name, load } of benches) console.log(`${name.padEnd(9)} ${(await load()).about}`)
  console.log(`
npm run bench -- NAME… | all [--quick] [--json] [--check]
  --quick  a look within a minute
  --json   for programs
  --check  exit code 1 where a bar is missed or could not be measured`)
}

async function runAll(chosen: typeof benches): Promise<void> {
  if (chosen.length === 0) {
    console.error(`There is no bench "${positionals.join(' ')}"; without a name they are listed.`)
    process.exitCode = 2
    return
  }
  const reports: Record<string, Report> = {}
  for (const { name, load } of chosen) {
    const report = await (await load()).run({ quick: flags.quick, progress })
    reports[name] = report
    if (!flags.json) console.log(reportText(name, report))
  }
  if (flags.json) console.log(JSON.stringify(reports, null, 2))
  const missed = Object.values(reports).flatMap(({ bars }) => bars.filter(({ verdict }) => verdict !== 'holds'))
  if (flags.check && missed.length > 0) process.exitCode = 1
}

/** To the error output, so that standard output is the result alone. */
function progress(text: string): void {
  if (!flags.json) console.error(`  … ${text}`)
}
