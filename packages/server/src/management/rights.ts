import type { wire } from '@postern/contract'

/**
 * The one table of what may be done: every operation of the API, and the right that it needs. `operatorOnly`
 * operations are for credentials of the operator's own account, whatever rights another one carries.
 * `null`: any management credential. Operations without a credential are in `public.ts`.
 */
export const operations = {
  whoami: { right: null },

  listAccounts: { right: 'accounts.read' },
  createAccount: { right: 'accounts.create', operatorOnly: true },
  getAccount: { right: 'accounts.read' },
  updateAccount: { right: 'accounts.update' },
  suspendAccount: { right: 'accounts.suspend', operatorOnly: true },
  resumeAccount: { right: 'accounts.suspend', operatorOnly: true },

  listPlans: { right: 'plans.read' },
  getPlan: { right: 'plans.read' },
  listApis: { right: 'apis.read' },
  getApi: { right: 'apis.read' },
  listRoutes: { right: 'apis.read' },

  listProjects: { right: 'projects.read' },
  listProjectsOfAccount: { right: 'projects.read' },
  createProject: { right: 'projects.create' },
  getProject: { right: 'projects.read' },
  updateProject: { right: 'projects.update' },

  listCredentials: { right: 'credentials.read' },
  listCredentialsOfProject: { right: 'credentials.read' },
  createCredential: { right: 'credentials.create' },
  createCredentialOfAccount: { right: 'credentials.create' },
  importCredentials: { right: 'credentials.import' },
  getCredential: { right: 'credentials.read' },
  updateCredential: { right: 'credentials.update' },
  deleteCredential: { right: 'credentials.revoke' },
  blockCredential: { right: 'credentials.block' },
  unblockCredential: { right: 'credentials.block' },
  revokeCredential: { right: 'credentials.revoke' },
  compromiseCredential: { right: 'credentials.revoke' },

  listSecrets: { right: 'credentials.read' },
  rotateCredential: { right: 'credentials.rotate' },
  endSecret: { right: 'credentials.rotate' },
  revealSecret: { right: 'credentials.reveal' },

  listPlatforms: { right: 'connections.read' },
  getPlatform: { right: 'connections.read' },
  listConnections: { right: 'connections.read' },
  createConnection: { right: 'connections.create' },
  createConnectionOfAccount: { right: 'connections.create' },
  createConnectionOfProject: { right: 'connections.create' },
  getConnection: { right: 'connections.read' },
  updateConnection: { right: 'connections.update' },
  rotateConnection: { right: 'connections.rotate' },
  disableConnection: { right: 'connections.update' },
  enableConnection: { right: 'connections.update' },
  deleteConnection: { right: 'connections.delete' },
  checkConnection: { right: 'connections.check' },
  // Write-only for people (VCH-5): a session may never do this, whatever its role.
  revealConnection: { right: 'connections.read_secret', operatorOnly: true },

  listTokens: { right: 'tokens.read' },
  getToken: { right: 'tokens.read' },
  introspectToken: { right: 'tokens.read' },
  revokeToken: { right: 'tokens.revoke' },
  listGrants: { right: 'grants.read' },
  getGrant: { right: 'grants.read' },
  withdrawGrant: { right: 'grants.withdraw' },

  listMembers: { right: 'members.read' },
  listMembersOfAccount: { right: 'members.read' },
  getMember: { right: 'members.read' },
  updateMember: { right: 'members.update' },
  deleteMember: { right: 'members.remove' },
  listInvitations: { right: 'members.read' },
  inviteMember: { right: 'members.invite' },
  revokeInvitation: { right: 'members.invite' },

  // A person may be a member of several accounts, so that none of them sees or changes the person.
  listUsers: { right: 'users.read', operatorOnly: true },
  getUser: { right: 'users.read', operatorOnly: true },
  disableUser: { right: 'users.disable', operatorOnly: true },
  enableUser: { right: 'users.disable', operatorOnly: true },
  offerPasswordReset: { right: 'users.reset', operatorOnly: true },
  removeSecondFactor: { right: 'users.reset', operatorOnly: true },
  exportUser: { right: 'users.export', operatorOnly: true },
  eraseUser: { right: 'users.erase', operatorOnly: true },
  listSessions: { right: 'sessions.read', operatorOnly: true },
  endSession: { right: 'sessions.end', operatorOnly: true },
  endSessions: { right: 'sessions.end', operatorOnly: true },

  listSigningKeys: { right: 'signing_keys.read', operatorOnly: true },
  rotateSigningKeys: { right: 'signing_keys.rotate', operatorOnly: true },

  listEvents: { right: 'events.read' },
  getEvent: { right: 'events.read' },
  getUsage: { right: 'usage.read' },
  listRequests: { right: 'requests.read' },
  getRequest: { right: 'requests.read' },

  verifyRequest: { right: 'decisions.verify' },
  explainRequest: { right: 'decisions.explain' },

  getSystem: { right: 'system.read', operatorOnly: true },
  startBackup: { right: 'system.backup', operatorOnly: true },
  verifyAudit: { right: 'events.read', operatorOnly: true },
} as const satisfies Readonly<Record<string, { readonly right: wire.Right | null; readonly operatorOnly?: true }>>

export type Operation = keyof typeof operations

export interface OperationRule {
  readonly right: wire.Right | null
  readonly operatorOnly?: true
}

export function operationRule(operation: Operation): OperationRule {
  return operations[operation]
}
