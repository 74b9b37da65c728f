import { secretField, setting, type Platform } from '../platform.ts'

/**
 * Basic with the write key as user and an empty password:
 * https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/; 200 is answered to most wrong
 * keys as well: https://github.com/segmentio/analytics-go/issues/205
 */
export const segment: Platform = {
  id: 'segment',
  name: 'Segment',
  fields: [
    setting('host', 'Tracking API host', {
      pattern: /^(api\.segment\.io|events\.eu1\.segmentapis\.com)$/,
      expects: 'api.segment.io, or events.eu1.segmentapis.com for a workspace in Europe',
      example: 'api.segment.io',
    }),
    secretField('write_key', 'Write key', '00000000000000000000000000000000'),
  ],
  places: () => [{ in: 'basic', user: { field: 'write_key' }, password: { text: '' } }],
  base: ({ host }) => `https://${host}`,
  check: { none: 'The Tracking API answers 200 to most wrong write keys as well, and has no call that reads.' },
  rotation: {
    how: 'The source › Settings › API keys: generate a second write key, paste it here, then delete the first.',
    overlap: true,
  },
  sources: [
    'https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/',
    'https://github.com/segmentio/analytics-go/issues/205',
  ],
}
