import { secretField, setting, type Platform } from '../platform.ts'
import { anyBase } from './url.ts'

/**
 * Ollama itself asks for no credential on its own machine; at ollama.com, or behind a proxy that does, it is a
 * bearer: https://docs.ollama.com/api/authentication
 */
export const ollama: Platform = {
  id: 'ollama',
  name: 'Ollama',
  fields: [
    setting('base_url', 'Base URL', { ...anyBase, example: 'https://ollama.com' }),
    secretField('api_key', 'API key', '00000000000000000000000000000000'),
  ],
  places: () => [{ in: 'bearer', field: 'api_key' }],
  base: ({ base_url: base }) => base ?? null,
  check: {
    none: 'Ollama answers its read-only calls without a credential as well. Where a proxy of your own asks for one, connect it as custom, with a check_path.',
  },
  rotation: {
    how: 'ollama.com › Settings › Keys, or where your own proxy keeps them: add a second key, paste it here, then delete the first.',
    overlap: true,
  },
  sources: ['https://docs.ollama.com/api/authentication'],
}
