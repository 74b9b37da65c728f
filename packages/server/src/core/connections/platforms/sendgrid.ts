import { getCall, secretField, setting, type Platform } from '../platform.ts'

/** Bearer, both hosts and the call `/v3/scopes`: https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions/retrieve-a-list-of-scopes-for-which-this-user-has-access */
export const sendgrid: Platform = {
  id: 'sendgrid',
  name: 'Twilio SendGrid',
  fields: [
    setting('host', 'API host', {
      pattern: /^api(\.eu)?\.sendgrid\.com$/,
      expects: 'api.sendgrid.com, or api.eu.sendgrid.com for EU subusers',
      example: 'api.sendgrid.com',
    }),
    secretField('api_key', 'API key', 'SG.0000000000000000000000.0000000000000000000000000000000000000000000'),
  ],
  places: () => [{ in: 'bearer', field: 'api_key' }],
  base: ({ host }) => `https://${host}`,
  check: getCall('/v3/scopes'),
  rotation: {
    how: 'Settings › API keys: create a second key with the same permissions, paste it here, then delete the first.',
    overlap: true,
  },
  sources: [
    'https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions/retrieve-a-list-of-scopes-for-which-this-user-has-access',
  ],
}
