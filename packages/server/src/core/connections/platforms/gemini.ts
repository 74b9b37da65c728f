import { getCall, secretField, type Platform } from '../platform.ts'

/**
 * Header: https://ai.google.dev/gemini-api/docs/api-key; list of models: https://ai.google.dev/api/models. A key that
 * is none is answered 400 (INVALID_ARGUMENT).
 */
export const gemini: Platform = {
  id: 'gemini',
  name: 'Google Gemini',
  fields: [secretField('api_key', 'API key', 'AIzaSy000000000000000000000000000000000')],
  places: () => [{ in: 'header', name: 'x-goog-api-key', prefix: '', field: 'api_key' }],
  base: () => 'https://generativelanguage.googleapis.com',
  check: getCall('/v1beta/models?pageSize=1', { refusals: [400, 401, 403] }),
  rotation: {
    how: 'Google AI Studio › API keys: create a second key in the same project, paste it here, then delete the first.',
    overlap: true,
  },
  sources: ['https://ai.google.dev/gemini-api/docs/api-key', 'https://ai.google.dev/api/models'],
}
