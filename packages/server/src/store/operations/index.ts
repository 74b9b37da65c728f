import { createAccount, findAccount, listAccounts, setAccountState, updateAccount } from './accounts.ts'
import {
  createConnection,
  deleteConnection,
  findConnection,
  findSealedConnection,
  listConnections,
  noteConnectionUses,
  readConnection,
  recordCheck,
  rotateConnection,
  setConnectionState,
  updateConnection,
} from './connections.ts'
import {
  createCredential,
  findCredential,
  listCredentials,
  markExposed,
  setCredentialState,
  updateCredential,
} from './credentials.ts'
import { eventHead, eventRange, listEvents } from './events.ts'
import { consent, findGrant, listGrants, withdrawGrant } from './grants.ts'
import { abandonIdempotent, finishIdempotent, startIdempotent } from './idempotency.ts'
import { importCredentials } from './import.ts'
import { createProject, findProject, listProjects, updateProject } from './projects.ts'
import { addQuotas, loadQuotas, pruneQuotas } from './quotas.ts'
import { byDigest, byId, grantById, since, snapshot } from './records.ts'
import { closeWindows, endSecret, listSecrets, revealSecret, rotateSecret } from './secrets.ts'
import { counts, inUse, ping } from './system.ts'
import {
  describeToken,
  findCode,
  findRefresh,
  listTokens,
  mintTokens,
  pruneTokens,
  revokeToken,
  rotateRefresh,
  spendCode,
  tokenByDigest,
} from './tokens.ts'
import { droppedRequests, findLastUses, observedThrough, queryLatency, queryModels, queryUsage } from './usage-query.ts'
import { findRequest, listRequests } from './usage-requests.ts'

/** The named operations that both databases execute: a transaction that appends events. */
export const writes = {
  'accounts.create': createAccount,
  'accounts.update': updateAccount,
  'accounts.setState': setAccountState,
  'projects.create': createProject,
  'projects.update': updateProject,
  'credentials.create': createCredential,
  'credentials.update': updateCredential,
  'credentials.rotate': rotateSecret,
  'credentials.endSecret': endSecret,
  'credentials.setState': setCredentialState,
  'credentials.markExposed': markExposed,
  'credentials.import': importCredentials,
  'credentials.reveal': revealSecret,
  'connections.create': createConnection,
  'connections.update': updateConnection,
  'connections.rotate': rotateConnection,
  'connections.setState': setConnectionState,
  'connections.delete': deleteConnection,
  'connections.read': readConnection,
  'connections.recordCheck': recordCheck,
  'tokens.spendCode': spendCode,
  'tokens.rotateRefresh': rotateRefresh,
  'tokens.revoke': revokeToken,
  'grants.consent': consent,
  'grants.withdraw': withdrawGrant,
}

/** Writes of the main tables that are nobody's act, and so no event. */
export const chores = {
  'credentials.closeWindows': closeWindows,
  'connections.noteUses': noteConnectionUses,
  'tokens.mint': mintTokens,
  'tokens.prune': pruneTokens,
  'idempotency.start': startIdempotent,
  'idempotency.finish': finishIdempotent,
  'idempotency.abandon': abandonIdempotent,
  'quotas.add': addQuotas,
  'quotas.prune': pruneQuotas,
}

export const reads = {
  'accounts.find': findAccount,
  'accounts.list': listAccounts,
  'projects.find': findProject,
  'projects.list': listProjects,
  'credentials.find': findCredential,
  'credentials.list': listCredentials,
  'credentials.secrets': listSecrets,
  'connections.find': findConnection,
  'connections.findSealed': findSealedConnection,
  'connections.list': listConnections,
  'tokens.findCode': findCode,
  'tokens.findRefresh': findRefresh,
  'tokens.byDigest': tokenByDigest,
  'tokens.describe': describeToken,
  'tokens.list': listTokens,
  'grants.find': findGrant,
  'grants.list': listGrants,
  'events.list': listEvents,
  'events.range': eventRange,
  'events.head': eventHead,
  'records.snapshot': snapshot,
  'records.byDigest': byDigest,
  'records.byId': byId,
  'records.grant': grantById,
  'records.since': since,
  'quotas.load': loadQuotas,
  'system.inUse': inUse,
  'system.counts': counts,
  'system.ping': ping,
}

/** Reads of the usage tables; each in one read transaction. */
export const usageReads = {
  'usage.query': queryUsage,
  'usage.models': queryModels,
  'usage.latency': queryLatency,
  'usage.requests': listRequests,
  'usage.request': findRequest,
  'usage.lastUses': findLastUses,
  'usage.observedThrough': observedThrough,
  'usage.dropped': droppedRequests,
}

export type Writes = typeof writes
export type Chores = typeof chores
export type Reads = typeof reads
export type UsageReads = typeof usageReads

/** What an operation takes and answers, apart from the database. */
export type InputOf<Operation> = Operation extends (db: never, input: infer Input) => unknown ? Input : undefined
export type AnswerOf<Operation> = Operation extends (...args: never[]) => Promise<infer Answer> ? Answer : never
