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
  markTokenExposed,
  setCredentialState,
  updateCredential,
} from './credentials.ts'
import { eraseUser } from './erasure.ts'
import { eventHead, eventRange, listEvents } from './events.ts'
import { consent, findGrant, listGrants, withdrawGrant } from './grants.ts'
import { abandonIdempotent, finishIdempotent, startIdempotent } from './idempotency.ts'
import { importCredentials } from './import.ts'
import { acceptInvitation, findInvitation, invite, listInvitations, revokeInvitation } from './invitations.ts'
import { dropLent } from './lent.ts'
import { findMember, listMembers, membershipsOf, removeMember, setRole } from './members.ts'
import { createProject, findProject, listProjects, updateProject } from './projects.ts'
import { addQuotas, loadQuotas, pruneQuotas } from './quotas.ts'
import { byDigest, byId, grantById, since, snapshot } from './records.ts'
import { closeWindows, endSecret, listSecrets, revealSecret, rotateSecret } from './secrets.ts'
import {
  endSession,
  endSessions,
  findSession,
  listSessions,
  prunePeople,
  rotateSession,
  startSession,
  touchSession,
} from './sessions.ts'
import { counts, inUse, noteSystem, ping } from './system.ts'
import {
  describeToken,
  findCode,
  findRefresh,
  findToken,
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
import {
  findReset,
  findUser,
  listUsers,
  noteUser,
  offerReset,
  proofsOf,
  redeemReset,
  setPassword,
  setSecondFactor,
  setUserState,
  spendRecoveryCode,
  spendTotpStep,
} from './users.ts'

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
  'credentials.markTokenExposed': markTokenExposed,
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
  'people.invite': invite,
  'people.revokeInvitation': revokeInvitation,
  'people.acceptInvitation': acceptInvitation,
  'people.setRole': setRole,
  'people.removeMember': removeMember,
  'people.setPassword': setPassword,
  'people.setSecondFactor': setSecondFactor,
  'people.spendRecoveryCode': spendRecoveryCode,
  'people.setUserState': setUserState,
  'people.offerReset': offerReset,
  'people.redeemReset': redeemReset,
  'people.note': noteUser,
  'people.erase': eraseUser,
  'people.endSession': endSession,
  'people.endSessions': endSessions,
  'system.note': noteSystem,
}

/** Writes of the main tables that are nobody's act, and so no event. */
export const chores = {
  'credentials.closeWindows': closeWindows,
  'connections.noteUses': noteConnectionUses,
  'tokens.mint': mintTokens,
  'tokens.prune': pruneTokens,
  'people.spendTotpStep': spendTotpStep,
  'people.startSession': startSession,
  'people.rotateSession': rotateSession,
  'people.touchSession': touchSession,
  'people.prune': prunePeople,
  'idempotency.start': startIdempotent,
  'idempotency.finish': finishIdempotent,
  'idempotency.abandon': abandonIdempotent,
  'quotas.add': addQuotas,
  'quotas.prune': pruneQuotas,
  'system.dropLent': dropLent,
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
  'tokens.find': findToken,
  'tokens.list': listTokens,
  'grants.find': findGrant,
  'grants.list': listGrants,
  'people.findInvitation': findInvitation,
  'people.listInvitations': listInvitations,
  'people.findMember': findMember,
  'people.listMembers': listMembers,
  'people.membershipsOf': membershipsOf,
  'people.findUser': findUser,
  'people.listUsers': listUsers,
  'people.proofsOf': proofsOf,
  'people.findReset': findReset,
  'people.findSession': findSession,
  'people.listSessions': listSessions,
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
