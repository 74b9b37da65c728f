import { idBelow, methodNotAllowed, notFound, textField, type Call, type Handler } from './route.ts'

/** `/v2/links`: kept in memory, made, changed and deleted. */
export function links(): Handler {
  const all = new Map([['1', { id: '1', name: 'Summer', destination: 'https://shop.example/summer', clicks: 128 }]])
  let next = 2
  const written = (id: string, { body }: Call, clicks: number) => {
    const link = { id, name: textField(body, 'name'), destination: textField(body, 'destination'), clicks }
    all.set(id, link)
    return link
  }
  return (call) => {
    const id = idBelow('/v2/links', call.path)
    if (id === null) return null
    if (id === '') {
      if (call.method === 'GET') return { status: 200, body: { links: [...all.values()], you: call.you } }
      return call.method === 'POST' ? { status: 201, body: written(String(next++), call, 0) } : methodNotAllowed(call)
    }
    const link = all.get(id)
    if (link === undefined) return notFound
    switch (call.method) {
      case 'GET':
        return { status: 200, body: link }
      case 'PUT':
        return { status: 200, body: written(id, call, link.clicks) }
      case 'DELETE':
        all.delete(id)
        return { status: 204, body: null }
      default:
        return methodNotAllowed(call)
    }
  }
}
