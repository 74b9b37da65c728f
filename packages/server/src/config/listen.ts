import type { Config, Socket } from './config.ts'

/** Everything that a server with this configuration listens on. */
export function socketsOf({ listen }: Pick<Config, 'listen'>): readonly Socket[] {
  const { gateway, own, console, ops, forwardAuth } = listen
  return [gateway, ...own, console, ops, ...(forwardAuth === null ? [] : [forwardAuth])]
}
