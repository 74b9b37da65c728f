import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import type { Column } from '../output/table.ts'
import type { Tools } from '../tools.ts'

export const addConnectionPlatforms: AddCommand = (command, run) => {
  command
    .command('platforms [platform]')
    .description('what connections can be made to, and what one asks for')
    .action(run(platforms))
}

export async function platformOf({ client }: Tools, id: string): Promise<wire.Platform> {
  return await client().get<wire.Platform>(`/platforms/${encodeURIComponent(id)}`)
}

async function platforms(tools: Tools, id: string | undefined): Promise<undefined> {
  const { client, out } = tools
  if (id === undefined) out.table(columns, await client().list<wire.Platform>('/platforms', {}, 1000), '')
  else tellPlatform(out, await platformOf(tools, id))
}

function tellPlatform(out: Tools['out'], platform: wire.Platform): void {
  const { rotation } = platform
  const overlap = { true: 'yes', false: 'no', null: 'not known' }[String(rotation.overlap)] ?? ''
  out.record(platform, [
    ['id', platform.id],
    ['name', platform.name],
    ['injected by routes', platform.injectable ? 'yes' : 'no: its credential travels in the body'],
    ['check', platform.checkable ? (platform.check_note ?? 'yes') : `no: ${platform.check_note ?? ''}`],
    ['rotation', rotation.how],
    ['old and new at once', overlap],
  ])
  if (out.json) return
  out.line('')
  out.table(fieldColumns, platform.fields, '')
}

const columns: readonly Column<wire.Platform>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'INJECTED', value: ({ injectable }) => (injectable ? 'yes' : 'no') },
  { header: 'CHECK', value: ({ checkable }) => (checkable ? 'yes' : 'no') },
  { header: 'NAME', value: ({ name }) => name },
]

const fieldColumns: readonly Column<wire.Platform['fields'][number]>[] = [
  { header: 'FIELD', value: ({ name }) => name },
  { header: 'GIVEN BY', value: ({ secret }) => (secret ? '--secret-env or standard input' : '--set') },
  { header: 'NEEDED', value: ({ required }) => (required ? 'yes' : 'no') },
  { header: 'IS', value: ({ expects }) => expects },
]
