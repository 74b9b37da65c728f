import { field, idBelow, methodNotAllowed, notFound, numberField, type Handler } from './route.ts'

const all = [
  { code: 'BLCKFRDY', discount: { type: 'PERCENT', percent_off: 10 }, active: true },
  { code: 'WELCOME', discount: { type: 'PERCENT', percent_off: 5 }, active: true },
] as const

/** `/v1/vouchers`: for servers. */
export function vouchers(): Handler {
  return (call) => {
    const code = idBelow('/v1/vouchers', call.path)
    if (code === null) return null
    if (call.method !== 'GET') return methodNotAllowed(call)
    if (code === '') return { status: 200, body: { object: 'list', total: all.length, vouchers: all, you: call.you } }
    const voucher = all.find((each) => each.code === code)
    return voucher === undefined ? notFound : { status: 200, body: voucher }
  }
}

/** `/client/v1/validate`: for pages; the order comes as the body, also of a GET. */
export function validate(): Handler {
  return (call) => {
    if (call.path !== '/client/v1/validate') return null
    if (call.method !== 'GET' && call.method !== 'POST') return methodNotAllowed(call)
    const code = call.query.get('code') ?? ''
    const voucher = all.find((each) => each.code === code)
    if (voucher === undefined) return { status: 200, body: { valid: false, code, reason: 'voucher not found' } }
    const amount = numberField(field(call.body, 'order'), 'amount')
    const discount = Math.round((amount * voucher.discount.percent_off) / 100)
    return {
      status: 200,
      body: { valid: true, code, order: { amount, discount_amount: discount, total_amount: amount - discount } },
    }
  }
}
