import { getCall, secretField, setting, type Platform } from '../platform.ts'

/** Header, host and the call `users/me`: https://developers.activecampaign.com/reference/authentication */
export const activecampaign: Platform = {
  id: 'activecampaign',
  name: 'ActiveCampaign',
  fields: [
    setting('account_name', 'Account name', {
      pattern: /^[a-z0-9][a-z0-9-]{0,62}$/,
      expects: 'the first label of the API URL: "acme" of https://acme.api-us1.com',
      example: 'acme',
    }),
    secretField('api_key', 'API key', '0000000000000000000000000000000000000000000000000000000000000000'),
  ],
  places: () => [{ in: 'header', name: 'Api-Token', prefix: '', field: 'api_key' }],
  base: ({ account_name: account }) => `https://${account}.api-us1.com`,
  check: getCall('/api/3/users/me'),
  rotation: {
    how: 'Settings › Developer › Reset API key. Each user has one key, and a reset ends it at once: for an overlap, use the key of a second user made for this purpose.',
    overlap: false,
  },
  sources: ['https://developers.activecampaign.com/reference/authentication'],
}
