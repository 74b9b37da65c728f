import { getCall, secretField, setting, type Platform } from '../platform.ts'

/**
 * Basic with account SID and auth token, or with an API key's SID and secret:
 * https://www.twilio.com/docs/usage/requests-to-twilio; two auth tokens side by side:
 * https://www.twilio.com/docs/iam/api/authtoken
 */
export const twilio: Platform = {
  id: 'twilio',
  name: 'Twilio',
  fields: [
    setting('account_sid', 'Account SID', {
      pattern: /^AC[0-9a-fA-F]{32}$/,
      expects: 'the account SID: AC and 32 hexadecimal digits',
      example: 'AC00000000000000000000000000000000',
    }),
    setting('user', 'User', {
      pattern: /^(AC|SK)[0-9a-fA-F]{32}$/,
      expects: 'the SID of an API key (SK…), or the account SID again where the secret is an auth token',
      example: 'SK00000000000000000000000000000000',
    }),
    secretField('secret', 'API key secret or auth token', 'ffffffffffffffffffffffffffffffff'),
  ],
  places: () => [{ in: 'basic', user: { field: 'user' }, password: { field: 'secret' } }],
  base: () => 'https://api.twilio.com',
  check: getCall(({ account_sid: account }) => `/2010-04-01/Accounts/${account}/IncomingPhoneNumbers.json?PageSize=1`, {
    needs: 'the right to read phone numbers, where it is a restricted API key',
  }),
  rotation: {
    how: 'Account › API keys: create a second key, paste its SID and secret here, then delete the first. For auth tokens: create the secondary token, paste it here, then promote it, which ends the old one.',
    overlap: true,
  },
  sources: ['https://www.twilio.com/docs/usage/requests-to-twilio', 'https://www.twilio.com/docs/iam/api/authtoken'],
}
