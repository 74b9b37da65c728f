import { getCall, secretField, type Platform } from '../platform.ts'

/** Scheme, revision header, and 400 to a key that is none: https://developers.klaviyo.com/en/docs/authenticate_ */
export const klaviyo: Platform = {
  id: 'klaviyo',
  name: 'Klaviyo',
  fields: [secretField('private_key', 'Private API key', 'pk_0000000000000000000000000000000000')],
  places: () => [{ in: 'header', name: 'Authorization', prefix: 'Klaviyo-API-Key ', field: 'private_key' }],
  base: () => 'https://a.klaviyo.com',
  check: getCall('/api/accounts/', {
    headers: [
      ['Accept', 'application/json'],
      ['revision', '2024-10-15'],
    ],
    refusals: [400, 401, 403],
    needs: 'the scope accounts:read',
  }),
  rotation: {
    how: 'Settings › API keys: create a second private key with the same scopes, paste it here, then delete the first.',
    overlap: true,
  },
  sources: [
    'https://developers.klaviyo.com/en/docs/authenticate_',
    'https://raw.githubusercontent.com/klaviyo/openapi/main/openapi/stable/apis/get_accounts.json',
  ],
}
