import { getCall, secretField, setting, type Platform } from '../platform.ts'

/** Basic with the user `api`, and the hosts of both regions: https://documentation.mailgun.com/docs/mailgun/api-reference */
export const mailgun: Platform = {
  id: 'mailgun',
  name: 'Mailgun',
  fields: [
    setting('host', 'API host', {
      pattern: /^api(\.eu)?\.mailgun\.net$/,
      expects: 'api.mailgun.net or api.eu.mailgun.net, by the region of the domain',
      example: 'api.mailgun.net',
    }),
    secretField('api_key', 'API key', '00000000000000000000000000000000-00000000-00000000'),
  ],
  places: () => [{ in: 'basic', user: { text: 'api' }, password: { field: 'api_key' } }],
  base: ({ host }) => `https://${host}`,
  check: getCall('/v4/domains?limit=1', { needs: 'an account API key: a domain sending key may only send' }),
  rotation: {
    how: 'Account settings › API keys: add a second key, paste it here, then delete the first.',
    overlap: true,
  },
  sources: [
    'https://documentation.mailgun.com/docs/mailgun/api-reference/authentication/',
    'https://documentation.mailgun.com/docs/mailgun/api-reference/openapi-final/tag/Domains',
  ],
}
