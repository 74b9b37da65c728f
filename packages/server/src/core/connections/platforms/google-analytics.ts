import { secretField, setting, type Platform } from '../platform.ts'

/**
 * Parameters, and that a 2xx is answered whatever was sent:
 * https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference. Up to ten secrets per data
 * stream: https://support.google.com/analytics/answer/9814495
 */
export const googleAnalytics: Platform = {
  id: 'google-analytics',
  name: 'Google Analytics (Measurement Protocol)',
  fields: [
    setting('measurement_id', 'Measurement id', {
      pattern: /^G-[A-Z0-9]{4,20}$/,
      expects: 'the measurement id of a web stream, which begins with G-',
      example: 'G-0000000000',
    }),
    secretField('api_secret', 'API secret', '0000000000000000000000'),
  ],
  places: () => [
    { in: 'query', name: 'measurement_id', field: 'measurement_id' },
    { in: 'query', name: 'api_secret', field: 'api_secret' },
  ],
  base: () => 'https://www.google-analytics.com',
  check: { none: 'The Measurement Protocol answers 2xx to every well-formed request, whatever its secret is.' },
  rotation: {
    how: 'Admin › Data streams › the stream › Measurement Protocol API secrets: create a second secret (a stream can have ten), paste it here, then delete the first.',
    overlap: true,
  },
  sources: [
    'https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference',
    'https://support.google.com/analytics/answer/9814495',
  ],
}
