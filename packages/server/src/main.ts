import { startServer, type RunningServer, type StartFailure } from './app.ts'
import { systemClock } from './base/clock.ts'
import { systemRandom } from './base/random.ts'
import { fail, type Result } from './base/result.ts'
import { keepTicksFast } from './base/ticks.ts'
import { formatConfigError, watchConfig, type Config } from './config/index.ts'
import { createLog } from './log.ts'
import { passedSockets } from './ops/passed-sockets.ts'
import { version } from './version.ts'

export interface ServeOptions {
  /** The environment that `${NAME}` in the configuration reads. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Reload when the file changes, and on SIGHUP. */
  readonly watch: boolean
  /** Only faults are logged. */
  readonly quiet: boolean
}

/** Starts the server and keeps its configuration current; SIGTERM and SIGINT stop it cleanly. */
export async function serve(config: Config, options: ServeOptions): Promise<Result<RunningServer, StartFailure>> {
  keepTicksFast()
  const log = createLog({ quiet: options.quiet })
  const passed = passedSockets(options.env, process.pid)
  if (!passed.ok) return fail({ busy: [], locked: null, passed: passed.error })
  const parts = { clock: systemClock, random: systemRandom, log, version, passed: passed.value }
  const started = await startServer(config, parts)
  if (!started.ok) return started
  const server = started.value
  const watcher = options.watch ? watch(server, options, log.info) : null
  const stop = (): void => {
    process.off('SIGTERM', stop).off('SIGINT', stop)
    watcher?.stop()
    const { delayMs, graceMs } = server.config().shutdown
    server.stop(graceMs, delayMs).then(
      () => process.exit(0),
      (error: unknown) => {
        log.fault('server.stop', {}, error)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
  return started
}

type Info = (event: string, fields: Readonly<Record<string, unknown>>) => void

function watch(server: RunningServer, { env }: ServeOptions, info: Info): { stop(): void } {
  const refused = (errors: readonly string[]) => info('config.refused', { errors })
  return watchConfig({
    path: server.config().file,
    env,
    clock: systemClock,
    current: server.config,
    onErrors: (errors) => refused(errors.map(formatConfigError)),
    onConfig: (next) => {
      server.reload(next).then(
        (result) => {
          if (!result.ok) refused(result.error)
        },
        (error: unknown) => refused([error instanceof Error ? error.message : String(error)]),
      )
    },
  })
}
