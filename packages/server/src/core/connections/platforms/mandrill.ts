import { secretField, type Platform } from '../platform.ts'

/**
 * The key is a member of every JSON body, all calls are POST:
 * https://mailchimp.com/developer/guides/transactional-api-conventions/; the ping validates it:
 * https://mailchimp.com/developer/transactional/api/users/ping-2. An unknown key has been answered 500 with the name
 * Invalid_Key: "any non-200" is an error there.
 */
export const mandrill: Platform = {
  id: 'mandrill',
  name: 'Mandrill (Mailchimp Transactional)',
  fields: [secretField('api_key', 'API key', 'md-0000000000000000000000')],
  places: () => [{ in: 'body', name: 'key', field: 'api_key' }],
  base: () => 'https://mandrillapp.com/api/1.0',
  check: {
    method: 'POST',
    path: () => '/users/ping2',
    headers: [],
    status: 200,
    refusals: [401, 403, 500],
    contains: 'PONG!',
    needs: null,
  },
  rotation: {
    how: 'Settings › SMTP & API info: add a second API key, paste it here, then disable and delete the first.',
    overlap: true,
  },
  sources: [
    'https://mailchimp.com/developer/guides/transactional-api-conventions/',
    'https://mailchimp.com/developer/transactional/api/users/ping-2',
  ],
}
