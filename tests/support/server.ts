import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startServer, type RunningServer, type StartOptions } from '../../packages/server/src/app.ts'
import { systemClock, type Clock } from '../../packages/server/src/base/clock.ts'
import { systemRandom } from '../../packages/server/src/base/random.ts'
import type { Result } from '../../packages/server/src/base/result.ts'
import type { Config } from '../../packages/server/src/config/config.ts'
import { formatConfigError } from '../../packages/server/src/config/issue.ts'
import { loadConfigText } from '../../packages/server/src/config/load.ts'
import type { Log } from '../../packages/server/src/log.ts'
import { freePorts } from './ports.ts'
import { startEchoUpstream, type Echo, type EchoUpstream } from './upstream.ts'

export const managementKey = 'a-management-key-for-tests-of-forty-characters'

export interface TestServer {
  readonly folder: string
  readonly gateway: string
  readonly gatewayPort: number
  /** Base addresses of the listeners of `ports`, in order. */
  readonly own: readonly string[]
  readonly console: string
  readonly ops: string
  readonly upstream: EchoUpstream
  readonly running: RunningServer
  readonly logged: readonly string[]
  /** Takes another configuration into force, as a change of the file does; `listen` as at the start unless said. */
  reload(yaml: string, listen?: string): Promise<Result<null, readonly string[]>>
  readonly api: ApiCall
  stop(): Promise<void>
}

export interface ApiAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // Tests look into answers of many shapes; each asserts what it reads.
  readonly body: ReturnType<JSON['parse']>
}

/** A call of /api/v1 with the first management key, or `key`; a text is sent as it is, anything else as JSON. */
export type ApiCall = (
  method: string,
  path: string,
  body?: unknown,
  options?: { readonly key?: string; readonly headers?: Readonly<Record<string, string>> },
) => Promise<ApiAnswer>

export interface TestServerOptions {
  /** Everything below `apis:` and `plans:`; `UPSTREAM` and `PORT0`, `PORT1` … are filled in. */
  readonly yaml: string
  readonly clock?: Clock
  readonly store?: string
  readonly folder?: string
  /** Folder of key files that another node has, too. */
  readonly keys?: string
  /** Of the world that checks of connections call into. */
  readonly outbound?: StartOptions['outbound']
  readonly listen?: string
  readonly ownPorts?: number
  /** The issuer; without it the console's own address. */
  readonly publicUrl?: string
  /** What the upstream answers; without it: what it was sent. */
  readonly answer?: (echo: Echo) => unknown
}

/** The whole server on real sockets and a real store, in a folder of its own under the system's temporary one. */
export async function startTestServer(options: TestServerOptions): Promise<TestServer> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'postern-test-'))
  const upstream = await startEchoUpstream(options.answer)
  const ports = await freePorts(3 + (options.ownPorts ?? 0))
  const [gateway = 0, console = 0, ops = 0, ...own] = ports
  const text = (yaml: string, listen: string) =>
    [
      'version: 1',
      'brand: acme',
      `listen: {gateway: "127.0.0.1:${gateway}", console: "127.0.0.1:${console}", ops: "127.0.0.1:${ops}"${listen}}`,
      `public_url: ${options.publicUrl ?? `http://127.0.0.1:${console}`}`,
      'data: ./data',
      `keys: ${JSON.stringify(options.keys ?? './keys')}`,
      `store: {url: ${JSON.stringify(options.store ?? 'sqlite')}}`,
      yaml
        .replaceAll('UPSTREAM', upstream.url)
        .replaceAll(/PORT([0-9])/g, (_, i: string) => String(own[Number(i)] ?? gateway)),
    ].join('\n')
  const load = (yaml: string, previous: Config | null, listen = options.listen ?? ''): Config => {
    const loaded = loadConfigText(text(yaml, listen), {
      file: join(folder, 'postern.yaml'),
      env: { POSTERN_MANAGEMENT_KEY: managementKey },
      previous,
    })
    if (!loaded.ok) throw new Error(loaded.error.map(formatConfigError).join('\n'))
    return loaded.value
  }
  const logged: string[] = []
  const log: Log = {
    info: (event, fields) => void logged.push(JSON.stringify({ event, ...fields })),
    fault: (event, fields, error) =>
      void logged.push(
        JSON.stringify({ event, ...fields, error: String(error), stack: error instanceof Error ? error.stack : null }),
      ),
  }
  const started = await startServer(load(options.yaml, null), {
    clock: options.clock ?? systemClock,
    random: systemRandom,
    log,
    version: '0.0.0-test',
    ...(options.outbound !== undefined && { outbound: options.outbound }),
  })
  if (!started.ok) throw new Error(JSON.stringify(started.error))
  const running = started.value
  const base = `http://127.0.0.1:${console}`
  return {
    folder,
    gateway: `http://127.0.0.1:${gateway}`,
    gatewayPort: gateway,
    own: own.map((port) => `http://127.0.0.1:${port}`),
    console: base,
    ops: `http://127.0.0.1:${ops}`,
    upstream,
    running,
    logged,
    reload: (yaml, listen) => running.reload(load(yaml, running.config(), listen)),
    api: callApi(base),
    stop: async () => {
      await running.stop(1000)
      await upstream.close()
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function callApi(base: string): ApiCall {
  return async (method, path, body, more = {}) => {
    const response = await fetch(`${base}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${more.key ?? managementKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...more.headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const answer = await response.text()
    return { status: response.status, headers: response.headers, text: answer, body: parsed(answer) }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
