const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')

/** The disk, or the limit set to the database, is full: the transaction has not been stored. */
export function isFull(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE' || code === 'ENOSPC'
}

/** The database can no longer be trusted to tell what is stored. */
export function isBroken(error: unknown): boolean {
  return /^SQLITE_(IOERR|CORRUPT|NOTADB|CANTOPEN|READONLY|MISUSE|PROTOCOL)/.test(codeOf(error)) && !isFull(error)
}
