import { getCall, secretField, setting, type Platform } from '../platform.ts'

/** Instances, their REST endpoints and keys with permissions: https://www.braze.com/docs/api/basics */
export const braze: Platform = {
  id: 'braze',
  name: 'Braze',
  fields: [
    setting('endpoint', 'REST endpoint', {
      pattern: /^rest\.[a-z]{2,4}-[0-9]{2}\.braze\.(com|eu)$/,
      expects: 'the host of the REST endpoint of your instance, such as rest.iad-01.braze.com',
      example: 'rest.iad-01.braze.com',
    }),
    secretField('api_key', 'REST API key', '00000000-0000-0000-0000-000000000000'),
  ],
  places: () => [{ in: 'bearer', field: 'api_key' }],
  base: ({ endpoint }) => `https://${endpoint}`,
  check: getCall('/campaigns/list', { needs: 'the permission campaigns.list' }),
  rotation: {
    how: 'Settings › APIs and Identifiers › API Keys: create a second key with the same permissions, paste it here, then delete the first.',
    overlap: true,
  },
  sources: ['https://www.braze.com/docs/api/basics'],
}
