import Type, { type Static } from 'typebox'

import { closed, Environment, listOf, Metadata, Name, nullable, ref, Region, Timestamp } from './common.ts'
import { IssuedCredential, Skipped } from './credentials.ts'

const IpAllow = Type.Array(Type.String({ minLength: 2, maxLength: 50 }), {
  maxItems: 100,
  description: 'Addresses and CIDR ranges; empty: from everywhere.',
})

export const Project = Type.Object(
  {
    id: Type.String(),
    account: Type.String(),
    name: Type.String(),
    environment: Environment,
    region: nullable(Region),
    ip_allow: IpAllow,
    metadata: Metadata,
    created_at: Timestamp,
    version: Type.Integer(),
  },
  { $id: 'Project' },
)
export type Project = Static<typeof Project>
export const ProjectList = listOf(Project)
export type ProjectList = Static<typeof ProjectList>

export const CreateProject = Type.Object(
  {
    name: Name,
    environment: Environment,
    region: Type.Optional(nullable(Region)),
    ip_allow: Type.Optional(IpAllow),
    metadata: Type.Optional(Metadata),
  },
  { $id: 'CreateProject', ...closed },
)
export type CreateProject = Static<typeof CreateProject>

/** `credentials`: the pairs that the preset makes with a project; `skipped`: those that the plan does not allow. */
export const CreatedProject = Type.Object(
  { project: ref(Project), credentials: Type.Array(ref(IssuedCredential)), skipped: Type.Array(ref(Skipped)) },
  { $id: 'CreatedProject' },
)
export type CreatedProject = Static<typeof CreatedProject>

export const UpdateProject = Type.Object(
  {
    name: Type.Optional(Name),
    region: Type.Optional(nullable(Region)),
    ip_allow: Type.Optional(IpAllow),
    metadata: Type.Optional(Metadata),
  },
  { $id: 'UpdateProject', ...closed, minProperties: 1 },
)
export type UpdateProject = Static<typeof UpdateProject>
