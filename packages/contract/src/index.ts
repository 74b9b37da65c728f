export * from './codes.ts'
export type { ConfigUpstream } from './config-upstream.ts'
export * from './config.ts'
export * as wire from './api/index.ts'
