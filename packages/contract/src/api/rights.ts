/** What a management credential may be allowed to do: its scopes are these names, `resource.*`, or `*`. */
export const rights = {
  'accounts.read': 'See accounts',
  'accounts.create': 'Make accounts (operator only)',
  'accounts.update': 'Change name, plan, overrides and metadata of accounts (plan and overrides: operator only)',
  'accounts.suspend': 'Suspend and resume accounts (operator only)',
  'projects.read': 'See projects',
  'projects.create': 'Make projects, with the default pairs of their presets',
  'projects.update': 'Change projects',
  'credentials.read': 'See credentials and when their secrets were used',
  'credentials.create': 'Issue credentials',
  'credentials.import': 'Import credentials of another system by their digests',
  'credentials.update': 'Change name, rights and limits of credentials',
  'credentials.rotate': 'Rotate secrets and end them',
  'credentials.reveal': 'Show a secret again while its window is open',
  'credentials.block': 'Block and unblock credentials',
  'credentials.revoke': 'Revoke, report as compromised and delete credentials',
  'plans.read': 'See plans',
  'apis.read': 'See APIs and their routes',
  'events.read': 'Read the audit log',
  'usage.read': 'Read usage counts',
  'requests.read': 'Read the request log',
  'decisions.verify': 'Decide requests for a proxy or middleware; limits are charged',
  'decisions.explain': 'Ask why a request is allowed or refused',
  'system.read': 'See the state of the server (operator only)',
  'system.backup': 'Make backups (operator only)',
} as const satisfies Readonly<Record<string, string>>

export type Right = keyof typeof rights
