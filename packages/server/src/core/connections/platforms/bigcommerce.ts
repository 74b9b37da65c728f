import { getCall, secretField, setting, type Platform } from '../platform.ts'

/**
 * Header and base URL: https://bigcommerce-dev-center.netlify.app/docs/rest-management/store-information;
 * the time resource "is useful for validating API authentication details":
 * https://docs-beta.bigcommerce.com/developer/api-reference/rest/admin/management/store-information/v2/get-system-timestamp
 */
export const bigcommerce: Platform = {
  id: 'bigcommerce',
  name: 'BigCommerce',
  fields: [
    setting('store_hash', 'Store hash', {
      pattern: /^[a-z0-9]{1,40}$/,
      expects: 'the part of the API path after /stores/: lower-case letters and digits',
      example: 'abc123def4',
    }),
    secretField('access_token', 'Access token', '0000000000000000000000000000000'),
  ],
  places: () => [{ in: 'header', name: 'X-Auth-Token', prefix: '', field: 'access_token' }],
  base: ({ store_hash: store }) => `https://api.bigcommerce.com/stores/${store}`,
  check: getCall('/v2/time', {
    headers: [['Accept', 'application/json']],
    needs: 'the scope Information & Settings, read-only',
  }),
  rotation: {
    how: 'Settings › Store-level API accounts: create a second account with the same scopes, paste its token here, then delete the first. Tokens do not expire and cannot be shown again.',
    overlap: true,
  },
  sources: [
    'https://docs-beta.bigcommerce.com/developer/api-reference/rest/admin/management/store-information/v2/get-system-timestamp',
    'https://docs.jitterbit.com/integration-studio/design/connectors/bigcommerce/account-creation',
  ],
}
