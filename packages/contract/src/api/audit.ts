import Type, { type Static } from 'typebox'

/** What a verification of the audit log found. */
export const AuditVerdict = Type.Union(
  [
    Type.Object({
      result: Type.Literal('intact'),
      events: Type.Integer(),
      head: Type.Integer(),
      proven: Type.Boolean({
        description: 'A signed checkpoint outside the database agrees; otherwise only consistent.',
      }),
      proven_through: Type.Integer({ description: 'Sequence of the newest checkpoint, 0 where there is none.' }),
    }),
    Type.Object({
      result: Type.Union([Type.Literal('altered'), Type.Literal('rolled_back')]),
      sequence: Type.Integer({ description: 'The first event that does not fit.' }),
      what: Type.String(),
    }),
    Type.Object({
      result: Type.Literal('signature_bad'),
      line: Type.Integer({ description: 'Line of the checkpoint file.' }),
    }),
  ],
  { $id: 'AuditVerdict' },
)
export type AuditVerdict = Static<typeof AuditVerdict>
