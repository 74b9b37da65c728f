import { getCall, secretField, type Platform } from '../platform.ts'

/** Bearer and the list of models: https://docs.mistral.ai/api/ */
export const mistral: Platform = {
  id: 'mistral',
  name: 'Mistral',
  fields: [secretField('api_key', 'API key', '00000000000000000000000000000000')],
  places: () => [{ in: 'bearer', field: 'api_key' }],
  base: () => 'https://api.mistral.ai',
  check: getCall('/v1/models'),
  rotation: {
    how: 'Console › API keys of the workspace: create a second key, paste it here, then delete the first.',
    overlap: true,
  },
  sources: ['https://docs.mistral.ai/api/'],
}
