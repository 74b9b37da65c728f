import type { Place, Preset, PresetRoute, VisibilityWindow, WindowFacts } from '../core/apis/api.ts'
import { anyOf, bearer, common } from './parts.ts'
import { voucherifyErrorBody } from './voucherify-errors.ts'
import { voucherifyLimitHeaders } from './voucherify-limits.ts'
import { voucherifyOAuth } from './voucherify-oauth.ts'

const serverPair: Place = {
  in: 'pair',
  id: 'x-app-id',
  secret: 'x-app-token',
  accept: ['key'],
  kinds: ['secret', 'integration'],
}
const clientPair: Place = {
  in: 'pair',
  id: 'x-client-application-id',
  secret: 'x-client-token',
  accept: ['key'],
  kinds: ['publishable'],
}

const serverAreas = [
  'assets',
  'async-actions',
  'campaigns',
  'categories',
  'consents',
  'customers',
  'events',
  'exports',
  'locations',
  'loyalties',
  'metadata-schemas',
  'orders',
  'product-collections',
  'products',
  'promotions',
  'publications',
  'qualifications',
  'redemptions',
  'referrals',
  'rewards',
  'segments',
  'skus',
  'task-results',
  'templates',
  'trash-bin',
  'validation-rules',
  'validation-rules-assignments',
  'validations',
  'vouchers',
]

const clientAreas = [
  'consents',
  'customers',
  'events',
  'promotions',
  'publish',
  'qualifications',
  'redeem',
  'redemptions',
  'validate',
  'validations',
  'vouchers',
]

/** Projects with two kinds of key pair, whose scopes are areas of the path (VCH-1 to VCH-6). */
export const voucherify: Preset = {
  ...common,
  id: 'voucherify',
  form: 'pair',
  pairShape: 'uuid',
  places: [serverPair, clientPair, bearer(['token', 'jwt'])],
  oauth: voucherifyOAuth,
  // The vendor's own client sends both.
  whenTwo: 'bearer_decides',
  scopes: {
    api: 'All of /v1',
    client_api: 'All of /client/v1',
    ...Object.fromEntries(serverAreas.map((area) => [area, `/v1/${area}`])),
    // As the vendor's own client spells it.
    SKUs: '/v1/skus',
    ...Object.fromEntries(clientAreas.map((area) => [`client_${area}`, `/client/v1/${area}`])),
  },
  includes: {
    api: serverAreas,
    client_api: clientAreas.map((area) => `client_${area}`),
    skus: ['SKUs'],
    SKUs: ['skus'],
  },
  roles: { Admin: ['api'], Merchant: ['validations', 'redemptions'] },
  routes: [
    ...serverAreas.map((area) => serverRoute(area, area)),
    // The reference spells the path so, the vendor's own client in lower case.
    serverRoute('SKUs', 'skus'),
    { id: 'api', methods: [], path: '/v1/**', scopes: anyOf(['api']), clientSide: false },
    ...clientAreas.map(clientRoute),
    { id: 'client_api', methods: [], path: '/client/v1/**', scopes: anyOf(['client_api']), clientSide: true },
  ],
  defaultPairs: [
    { name: 'Server-side', kind: 'secret' },
    { name: 'Client-side', kind: 'publishable' },
  ],
  window: visibilityWindow,
  wildcardOrigin: true,
  cors: {
    allowHeaders: [
      'x-app-id',
      'x-app-token',
      'x-client-application-id',
      'x-client-token',
      'authorization',
      'x-voucherify-channel',
      'x-voucherify-api-version',
      'content-type',
    ],
    exposeHeaders: [
      'x-rate-limit-limit',
      'x-rate-limit-remaining',
      'x-rate-limit-retry',
      'x-rate-limit-type',
      'retry-after',
      'x-request-id',
    ],
  },
  errorBody: voucherifyErrorBody,
  limitHeaders: voucherifyLimitHeaders,
}

function serverRoute(segment: string, scope: string): PresetRoute {
  return { id: segment, methods: [], path: `/v1/${segment}/**`, scopes: anyOf(['api', scope]), clientSide: false }
}

function clientRoute(area: string): PresetRoute {
  return {
    id: `client_${area}`,
    methods: [],
    path: `/client/v1/${area}/**`,
    scopes: anyOf(['client_api', `client_${area}`]),
    clientSide: true,
  }
}

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** An imported secret is known to us by its digest alone, so there is nothing to show. */
function visibilityWindow({ kind, primary, origin, environment }: WindowFacts): VisibilityWindow {
  if (origin === 'imported' || kind === 'management') return 'once'
  if (environment === 'sandbox' || kind === 'publishable') return 'always'
  return kind === 'secret' && primary && origin === 'first' ? 14 * dayMs : 15 * minuteMs
}
