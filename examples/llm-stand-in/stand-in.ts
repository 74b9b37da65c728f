import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'

import { anthropic } from './anthropic.ts'
import { field, readCall, type Reply, type StandIn } from './call.ts'
import { gemini } from './gemini.ts'
import { mistral, openai } from './openai.ts'

/**
 * Stands in for the providers of language models, because a fresh machine has no key of theirs: it speaks their wire
 * forms, streams and counts, and says that it is no model. Each is below its name: `/openai/v1/chat/completions`.
 */
export interface ProviderStandIn {
  readonly port: number
  close(): Promise<void>
}

const providers: Readonly<Record<string, StandIn>> = { openai, anthropic, mistral, gemini, ollama: openai }

/** Listens on loopback only; port 0 takes a free one. `key`: what it expects as the provider's; '' expects none. */
export async function startStandIn(port = 0, key = ''): Promise<ProviderStandIn> {
  const server = createServer((request, response) => {
    serve(request, response, key).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a listening TCP server has an address of this form
  const { port: listening } = server.address() as AddressInfo
  return {
    port: listening,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function serve(request: IncomingMessage, response: ServerResponse, key: string): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://stand-in')
  const [, name = '', path = ''] = /^\/([a-z]+)(\/.*)$/.exec(url.pathname) ?? []
  const provider = Object.hasOwn(providers, name) ? providers[name] : undefined
  if (provider === undefined) return send(response, { status: 404, json: { error: `no provider "${name}"` } })
  const call = await readCall(request, path, url.searchParams)
  const refused = (status: number, message: string): Reply => ({ status, json: provider.refuse(status, message) })
  if (call === null) return send(response, refused(400, 'the body is not JSON'))
  if (key !== '' && name !== 'ollama' && provider.keyOf(call) !== key)
    return send(response, refused(401, 'the key is not the one of the stand-in'))
  if (field(call.body, 'model') === 'busy' || path.includes('/busy:')) return send(response, busy(refused(429, 'busy')))
  const reply = provider.answer(call) ?? refused(404, `nothing at ${path}`)
  if ('events' in reply) await stream(response, reply.events)
  else send(response, reply)
}

/** What a provider says whose own limit is spent: a model named `busy` always is. */
function busy(reply: Reply): Reply {
  const headers = {
    'retry-after': '7',
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '0',
    'anthropic-ratelimit-requests-remaining': '0',
  }
  return 'events' in reply ? reply : { ...reply, headers }
}

function send(response: ServerResponse, reply: Reply): void {
  if ('events' in reply) return
  const body = JSON.stringify(reply.json)
  response
    .writeHead(reply.status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'openai-organization': 'org-of-the-operator',
      ...reply.headers,
    })
    .end(body)
}

/** One event after the other, each as soon as the one before it has left. */
async function stream(
  response: ServerResponse,
  events: Extract<Reply, { readonly events: unknown }>['events'],
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  for (const { name, data } of events) {
    if (response.destroyed) return
    response.write(`${name === undefined ? '' : `event: ${name}\n`}data: ${data}\n\n`)
    await setImmediate()
  }
  response.end()
}
