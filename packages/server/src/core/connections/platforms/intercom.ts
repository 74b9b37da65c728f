import { getCall, secretField, setting, type Platform } from '../platform.ts'

/** Bearer, the regional hosts and the call `/me`: https://developers.intercom.com/intercom-api-reference/reference/identifyadmin */
export const intercom: Platform = {
  id: 'intercom',
  name: 'Intercom',
  fields: [
    setting('host', 'API host', {
      pattern: /^api(\.eu|\.au)?\.intercom\.io$/,
      expects: 'api.intercom.io, api.eu.intercom.io or api.au.intercom.io, by the region of the workspace',
      example: 'api.intercom.io',
    }),
    secretField('access_token', 'Access token', '0000000000000000000000000000000000000000000000000000000000000000'),
  ],
  places: () => [{ in: 'bearer', field: 'access_token' }],
  base: ({ host }) => `https://${host}`,
  check: getCall('/me', { headers: [['Accept', 'application/json']] }),
  rotation: {
    how: 'Developer Hub › your app › Authentication: regenerate the access token. Whether the old one lives on is not documented: for an overlap, make a second app with the same permissions.',
    overlap: null,
  },
  sources: [
    'https://developers.intercom.com/intercom-api-reference/reference/identifyadmin',
    'https://www.simworkflow.com/integration-operation/intercom-me-get-f83',
  ],
}
