import { createServer } from 'node:http'

export function createOps(parts: { readonly ready: () => readonly string[] } & Record<string, unknown>) {
  const server = createServer((request, response) => {
    const reasons = request.url === '/readyz' ? parts.ready() : []
    response.statusCode = reasons.length === 0 ? 200 : 503
    response.end(JSON.stringify({ reasons }))
  })
  return {
    listen: (address: { readonly host: string; readonly port: number }) => new Promise<void>((resolve) => server.listen({ ...address }, () => resolve())),
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
