import { getCall, secretField, setting, type Platform } from '../platform.ts'
import { anyBase } from './url.ts'

/**
 * The list of models: https://github.com/ollama/ollama/blob/main/docs/api.md. Ollama itself asks for no credential
 * on its own machine; in its cloud, or behind a proxy that does, it is a bearer: https://docs.ollama.com/api/authentication
 */
export const ollama: Platform = {
  id: 'ollama',
  name: 'Ollama, or any server that takes a bearer',
  fields: [
    setting('base_url', 'Base URL', { ...anyBase, example: 'https://ollama.com' }),
    secretField('api_key', 'API key', '00000000000000000000000000000000'),
  ],
  places: () => [{ in: 'bearer', field: 'api_key' }],
  base: ({ base_url: base }) => base ?? null,
  check: getCall('/api/tags'),
  rotation: {
    how: 'ollama.com › Settings › Keys, or where your own proxy keeps them: add a second key, paste it here, then delete the first.',
    overlap: true,
  },
  sources: ['https://github.com/ollama/ollama/blob/main/docs/api.md', 'https://docs.ollama.com/api/authentication'],
}
