import { idBelow, methodNotAllowed, notFound, numberField, textField, type Handler } from './route.ts'

/** `/v1/data`: conversions, to be read. */
export function data(): Handler {
  const conversions = [
    { id: 'cnv_1', network: 'north', commission: 12.4, currency: 'EUR', at: '2026-01-12T08:30:00Z' },
    { id: 'cnv_2', network: 'south', commission: 3.1, currency: 'EUR', at: '2026-01-13T17:02:00Z' },
  ]
  return (call) => {
    if (call.path !== '/v1/data') return null
    return call.method === 'GET' ? { status: 200, body: { data: conversions, you: call.you } } : methodNotAllowed(call)
  }
}

/** `/v1/transactions`: payments, to be read and made. */
export function transactions(): Handler {
  const all = [{ id: 'txn_1', amount: 2_500, currency: 'USD', state: 'settled' }]
  return (call) => {
    const id = idBelow('/v1/transactions', call.path)
    if (id === null) return null
    if (id !== '') {
      const found = all.find((each) => each.id === id)
      if (call.method !== 'GET') return methodNotAllowed(call)
      return found === undefined ? notFound : { status: 200, body: found }
    }
    if (call.method === 'GET') return { status: 200, body: { transactions: all, you: call.you } }
    if (call.method !== 'POST') return methodNotAllowed(call)
    const made = {
      id: `txn_${all.length + 1}`,
      amount: numberField(call.body, 'amount'),
      currency: textField(call.body, 'currency') || 'USD',
      state: 'authorized',
    }
    all.push(made)
    return { status: 201, body: made }
  }
}
