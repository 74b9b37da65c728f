import { getCall, secretField, type Platform } from '../platform.ts'

/** Header, version header and the list of models: https://docs.anthropic.com/en/api/models-list */
export const anthropic: Platform = {
  id: 'anthropic',
  name: 'Anthropic',
  fields: [secretField('api_key', 'API key', 'sk-ant-api03-000000000000000000000000000000')],
  places: () => [{ in: 'header', name: 'x-api-key', prefix: '', field: 'api_key' }],
  base: () => 'https://api.anthropic.com',
  check: getCall('/v1/models?limit=1', { headers: [['anthropic-version', '2023-06-01']] }),
  rotation: {
    how: 'Console › Settings › API keys: create a second key in the same workspace, paste it here, then delete the first.',
    overlap: true,
  },
  sources: ['https://docs.anthropic.com/en/api/models-list'],
}
