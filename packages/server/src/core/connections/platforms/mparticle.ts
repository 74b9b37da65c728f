import { secretField, setting, type Platform } from '../platform.ts'

/** Basic with key and secret, and the hosts of all pods: https://docs.mparticle.com/developers/server/http/ */
export const mparticle: Platform = {
  id: 'mparticle',
  name: 'mParticle',
  fields: [
    setting('host', 'Events API host', {
      pattern: /^s2s(\.(us1|us2|eu1|au1))?\.mparticle\.com$/,
      expects: 's2s.mparticle.com, or s2s.us1, s2s.us2, s2s.eu1 or s2s.au1 before .mparticle.com, by your pod',
      example: 's2s.mparticle.com',
    }),
    setting('api_key', 'API key', {
      pattern: /^[A-Za-z0-9_-]{8,200}$/,
      expects: 'the key of a server-to-server input',
      example: 'us1-00000000000000000000000000000000',
    }),
    secretField('api_secret', 'API secret', '0000000000000000000000000000000000000000000000000000000000000000'),
  ],
  places: () => [{ in: 'basic', user: { field: 'api_key' }, password: { field: 'api_secret' } }],
  base: ({ host }) => `https://${host}`,
  check: { none: 'The Events API has no call that reads.' },
  rotation: {
    how: 'Setup › Inputs: add a second server-to-server configuration, paste its key and secret here, then delete the first.',
    overlap: true,
  },
  sources: ['https://docs.mparticle.com/developers/server/http/'],
}
