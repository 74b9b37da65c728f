import { getCall, secretField, setting, type Platform } from '../platform.ts'

/**
 * Basic with any user, the data centre in the host and at the end of the key, and the ping:
 * https://mailchimp.com/developer/guides/marketing-api-conventions/ and
 * https://developer.mailchimp.com/documentation/mailchimp/reference/ping/
 */
export const mailchimp: Platform = {
  id: 'mailchimp',
  name: 'Mailchimp',
  fields: [
    setting('data_center', 'Data center', {
      pattern: /^[a-z]{2,3}[0-9]{1,3}$/,
      expects: 'the data center at the end of the key, such as us21',
      example: 'us21',
    }),
    secretField('api_key', 'API key', '00000000000000000000000000000000-us21'),
  ],
  places: () => [{ in: 'basic', user: { text: 'anystring' }, password: { field: 'api_key' } }],
  base: ({ data_center: center }) => `https://${center}.api.mailchimp.com`,
  check: getCall('/3.0/ping'),
  rotation: {
    how: 'Profile › Extras › API keys: create a second key, paste it here, then revoke the first. A revoked key cannot be brought back.',
    overlap: true,
  },
  sources: [
    'https://mailchimp.com/developer/guides/marketing-api-conventions/',
    'https://developer.mailchimp.com/documentation/mailchimp/reference/ping/',
    'https://integrations.sh/mailchimp.com/mailchimp-marketing-api/',
  ],
}
