export * from './codes.ts'
export * from './config.ts'
export * as wire from './api/index.ts'
