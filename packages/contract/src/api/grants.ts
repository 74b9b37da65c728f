import Type, { type Static } from 'typebox'

import { effect, listOf, nullable, ref, Timestamp } from './common.ts'

export const GrantState = Type.Union([Type.Literal('active'), Type.Literal('withdrawn')])

export const Grant = Type.Object(
  {
    id: Type.String({ examples: ['grt_0123456789ab'] }),
    client: Type.String({ description: 'Id of the credential that the client is.' }),
    user: Type.String(),
    account: Type.String({ description: 'Of the project that it is about.' }),
    project: Type.String(),
    apis: Type.Array(Type.String()),
    scopes: Type.Array(Type.String()),
    state: GrantState,
    created_at: Timestamp,
    updated_at: Timestamp,
    withdrawn_at: nullable(Timestamp),
    version: Type.Integer(),
  },
  { $id: 'Grant', description: 'What a member of an account has allowed a client.' },
)
export type Grant = Static<typeof Grant>
export const GrantList = listOf(Grant)
export type GrantList = Static<typeof GrantList>

export const ChangedGrant = Type.Object({ grant: ref(Grant), ...effect }, { $id: 'ChangedGrant' })
export type ChangedGrant = Static<typeof ChangedGrant>
