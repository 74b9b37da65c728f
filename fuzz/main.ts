import { parseArgs } from 'node:util'

import { type Failure, fuzzHeads } from './heads/run.ts'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    count: { type: 'string', default: '50000' },
    only: { type: 'string' },
  },
})

const seed = flags.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(flags.seed)
const [name] = positionals
if (name === 'heads') await heads()
else {
  console.log(`npm run fuzz -- heads [--seed N] [--count N] [--only INDEX]
  heads    requests, good and broken: what goes on is what a strict parser reads, or the request was refused`)
  process.exitCode = name === undefined ? 0 : 2
}

async function heads(): Promise<void> {
  const started = performance.now()
  console.log(`heads: seed ${seed}, ${flags.count} cases`)
  const report = await fuzzHeads({
    seed,
    count: Number(flags.count),
    ...(flags.only !== undefined && { only: Number(flags.only) }),
    progress: (text) => console.error(`  … ${text}`),
  })
  const refused = [...report.refused].toSorted(([a], [b]) => a - b).map(([status, count]) => `${count} × ${status}`)
  console.log(
    `${report.cases} cases in ${((performance.now() - started) / 1_000).toFixed(0)} s: ` +
      `${report.forwarded} requests forwarded, refused ${refused.join(', ')}`,
  )
  conclude(report.failures)
}

function conclude(failures: readonly Failure[]): void {
  for (const { index, fault, minimised, alone } of failures)
    console.log(`
FAILED: ${fault.rule}
  ${fault.detail}
  seed ${seed}, case ${index}${alone ? '' : ' (not alone: it needs what came before it)'}
  ${minimised}`)
  console.log(failures.length === 0 ? 'no failures' : `${failures.length} failures`)
  if (failures.length > 0) process.exitCode = 1
}
