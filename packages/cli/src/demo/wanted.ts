const providers = ['openai', 'anthropic', 'mistral', 'gemini', 'ollama'] as const

/** Credentials that the printed lines use, by what they are for. */
export const wanted = {
  wecantrack: { name: 'WeCanTrack', kind: 'secret', apis: ['wecantrack'], scopes: ['read'] },
  clickmeter: { name: 'ClickMeter', kind: 'secret', apis: ['clickmeter'], scopes: ['read', 'write'] },
  readOnly: { name: 'ClickMeter, read only', kind: 'secret', apis: ['clickmeter'], scopes: ['read'] },
  cardconnect: {
    name: 'Card Connect',
    kind: 'secret',
    apis: ['cardconnect'],
    scopes: ['transactions.read', 'transactions.write'],
  },
  server: { name: 'Voucherify, server side', kind: 'secret', apis: ['voucherify'], scopes: ['api'] },
  client: {
    name: 'Voucherify, client side',
    kind: 'publishable',
    apis: ['voucherify'],
    scopes: ['client_api'],
    origin_allow: ['yourdomain.com'],
  },
  llm: { name: 'Language models', kind: 'secret', apis: providers, scopes: [] },
  spent: {
    name: 'Language models, next to no budget',
    kind: 'secret',
    apis: providers,
    scopes: [],
    budgets: [{ name: 'pocket-money', per: 'credential', tokens: 100, period: 'year' }],
  },
} as const

/** Made anew at each start: the reader is invited to end them. */
export const throwAway = {
  rotated: { name: 'Throw-away, to be rotated', kind: 'secret', apis: ['wecantrack'], scopes: ['read'] },
  revoked: { name: 'Throw-away, to be revoked', kind: 'secret', apis: ['wecantrack'], scopes: ['read'] },
} as const

export type WantedName = keyof typeof wanted
export type ThrowAwayName = keyof typeof throwAway

export interface Wanted {
  readonly name: string
  readonly kind: 'secret' | 'publishable'
  readonly apis: readonly string[]
  readonly scopes: readonly string[]
  readonly origin_allow?: readonly string[]
  readonly budgets?: readonly object[]
}
