/** Unique keys → the sentence that names the field, never the value. Names of SQLite columns and PostgreSQL indexes. */
const sentences: readonly (readonly [pattern: RegExp, sentence: string])[] = [
  [/secrets[._]digest/, 'A credential with this secret already exists.'],
  [/secrets[._]id|secrets_pkey/, 'A secret with this id already exists.'],
  [/credentials[._]public_id/, 'A credential with this public id already exists.'],
  [/credentials[._](id|pkey)/, 'A credential with this id already exists.'],
  [/projects[._](id|pkey)/, 'A project with this id already exists.'],
  [/connections_name/, 'A connection with this name already exists.'],
  [/connections[._](id|pkey)/, 'A connection with this id already exists.'],
  [/tokens[._](id|pkey|digest)/, 'This token already exists.'],
  [/grants[._](id|pkey)/, 'A grant with this id already exists.'],
  [/users[._]email/, 'Somebody with this address already has a sign-in.'],
  [/users[._](id|pkey)/, 'A user with this id already exists.'],
  [/members[._](id|pkey)/, 'A member with this id already exists.'],
  [/invitations[._]/, 'An invitation with this id or link already exists.'],
  [/accounts[._](id|pkey)/, 'An account with this id already exists.'],
]

/** The sentence of a unique violation of either database; null where the error is something else. */
export function violationOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  const { code } = error
  if (code !== 'SQLITE_CONSTRAINT_UNIQUE' && code !== 'SQLITE_CONSTRAINT_PRIMARYKEY' && code !== '23505') return null
  const where = 'constraint' in error ? String(error.constraint) : error.message
  return sentences.find(([pattern]) => pattern.test(where))?.[1] ?? 'Something with these values already exists.'
}
