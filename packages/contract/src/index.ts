export * from './codes.ts'
export * as wire from './api/index.ts'
