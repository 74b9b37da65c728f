import { secretField, setting, type Platform } from '../platform.ts'

/**
 * Private access is Basic with key id and secret, the base URL is the customer's instance:
 * https://documentation.bloomreach.com/engagement/docs/authentication. A rotated secret is accepted for 24 more
 * hours: https://docs.exponea.com/reference/prerequisites
 */
export const bloomreachEngagement: Platform = {
  id: 'bloomreach-engagement',
  name: 'Bloomreach Engagement',
  fields: [
    setting('base_url', 'API base URL', {
      pattern: /^https:\/\/([a-z0-9-]+\.){1,4}(exponea\.com|bloomreach\.(co|com))$/,
      expects: 'the API base URL of the project, such as https://api.exponea.com',
      example: 'https://api.exponea.com',
    }),
    setting('api_key_id', 'API key id', {
      pattern: /^[a-z0-9]{20,100}$/,
      expects: 'the API key id of an API group with private access',
      example: '0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqr',
    }),
    secretField('api_secret', 'API secret', '0000000000000000000000000000000000000000000000000000000000000000'),
  ],
  places: () => [{ in: 'basic', user: { field: 'api_key_id' }, password: { field: 'api_secret' } }],
  base: ({ base_url: base }) => base ?? null,
  check: {
    none: 'What a key may do is set per API group, and no call is open to every private key without writing data.',
  },
  rotation: {
    how: 'Project settings › Access management › API: rotate the secret of the key. The old one is accepted for 24 more hours; a second rotation within them ends it at once.',
    overlap: true,
  },
  sources: [
    'https://documentation.bloomreach.com/engagement/docs/authentication',
    'https://documentation.bloomreach.com/engagement/reference/technical-information',
    'https://docs.exponea.com/reference/prerequisites',
    'https://documentation.bloomreach.com/reference-link/revoke-private-key',
  ],
}
