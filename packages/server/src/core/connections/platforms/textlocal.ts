import { getCall, secretField, setting, type Platform } from '../platform.ts'

/**
 * The parameter `apikey` in the URL or the form body, several keys with notes, and that every answer has a
 * `status`: https://api.textlocal.in/docs/; the British host: http://api.txtlocal.com/docs/sendsms
 */
export const textlocal: Platform = {
  id: 'textlocal',
  name: 'Textlocal',
  fields: [
    setting('host', 'API host', {
      pattern: /^api\.(txtlocal\.com|textlocal\.in)$/,
      expects: 'api.txtlocal.com, or api.textlocal.in for an Indian account',
      example: 'api.txtlocal.com',
    }),
    secretField('api_key', 'API key', '00000000000-0000000000000000000000000000000'),
  ],
  places: () => [{ in: 'query', name: 'apikey', field: 'api_key' }],
  base: ({ host }) => `https://${host}`,
  check: getCall('/balance/', { contains: '"status":"success"' }),
  rotation: {
    how: 'Settings › API keys: create a second key, paste it here, then delete the first.',
    overlap: true,
  },
  sources: ['https://api.textlocal.in/docs/', 'http://api.txtlocal.com/docs/sendsms'],
}
