import { getCall, secretField, type Platform } from '../platform.ts'

/** Bearer and the list of models: https://platform.openai.com/docs/api-reference/authentication */
export const openai: Platform = {
  id: 'openai',
  name: 'OpenAI',
  fields: [secretField('api_key', 'API key', 'sk-proj-000000000000000000000000000000000000')],
  places: () => [{ in: 'bearer', field: 'api_key' }],
  base: () => 'https://api.openai.com',
  check: getCall('/v1/models', { needs: 'the permission to list models, where it is a restricted key' }),
  rotation: {
    how: 'Project › API keys: create a second key, paste it here, then revoke the first.',
    overlap: true,
  },
  sources: [
    'https://platform.openai.com/docs/api-reference/authentication',
    'https://platform.openai.com/docs/api-reference/models/list',
  ],
}
