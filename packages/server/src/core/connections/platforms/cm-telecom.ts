import { secretField, type Platform } from '../platform.ts'

/** Header and hosts: https://developers.cm.com/messaging/docs/integration */
export const cmTelecom: Platform = {
  id: 'cm-telecom',
  name: 'CM.com (CM Telecom)',
  fields: [
    secretField(
      'product_token',
      'Product token',
      '00000000-0000-0000-0000-000000000000',
      /^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/,
    ),
  ],
  places: () => [{ in: 'header', name: 'X-CM-PRODUCTTOKEN', prefix: '', field: 'product_token' }],
  base: () => 'https://gw.messaging.cm.com',
  check: { none: 'The messaging API has one call, and it sends messages.' },
  rotation: {
    how: 'The Channels app shows the product token of the account. How it is replaced is not documented: ask CM.com’s support first.',
    overlap: null,
  },
  sources: ['https://developers.cm.com/messaging/docs/integration'],
}
