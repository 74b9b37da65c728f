import type { wire } from '@postern/contract'

import type { ApiCall } from './server.ts'

/** A credential as its holder knows it. */
export interface Holder {
  readonly id: string
  readonly account: string
  readonly project: string
  /** Id half of a pair; of a key the id within it. */
  readonly publicId: string
  readonly secretId: string
  readonly value: string
}

export interface Account {
  readonly id: string
  readonly project: string
  /** Default pairs, in order. */
  readonly pairs: readonly Holder[]
}

export async function makeAccount(api: ApiCall, plan: string, name = 'Acme Shops'): Promise<Account> {
  const answer = await api('POST', '/accounts', { name, plan })
  if (answer.status !== 201) throw new Error(answer.text)
  const { account, project, credentials } = answer.body
  return { id: account.id, project: project.id, pairs: credentials.map(holderOf) }
}

export async function makeProject(
  api: ApiCall,
  account: string,
  fields: object,
): Promise<{ readonly id: string; readonly pairs: readonly Holder[] }> {
  const answer = await api('POST', `/accounts/${account}/projects`, fields)
  if (answer.status !== 201) throw new Error(answer.text)
  return { id: answer.body.project.id, pairs: answer.body.credentials.map(holderOf) }
}

/** Issues in a project; fields that are not said are those of a key for the API `shop` that may read orders. */
export async function issue(api: ApiCall, project: string, fields: object = {}): Promise<Holder> {
  const answer = await api('POST', `/projects/${project}/credentials`, {
    name: 'Key',
    kind: 'secret',
    apis: ['shop'],
    scopes: ['orders.read'],
    ...fields,
  })
  if (answer.status !== 201) throw new Error(answer.text)
  return holderOf(answer.body)
}

export function holderOf(issued: wire.IssuedCredential): Holder {
  const { credential, secret } = issued
  return {
    id: credential.id,
    account: credential.account,
    project: credential.project,
    publicId: credential.public_id ?? '',
    secretId: secret?.id ?? '',
    value: secret?.value ?? '',
  }
}

export function bearer(value: string): readonly [string, string] {
  return ['Authorization', `Bearer ${value}`]
}
