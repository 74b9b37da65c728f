import type { Tools } from '../tools.ts'

export interface Finding {
  readonly result: 'ok' | 'FAIL' | 'note'
  readonly check: string
  readonly found: string
  /** What to do about a failure. */
  readonly next: string
}

export type Check = (tools: Tools) => Promise<readonly Finding[]> | readonly Finding[]

export function finding(good: boolean, check: string, found: string, next: string): Finding {
  return { result: good ? 'ok' : 'FAIL', check, found, next: good ? '' : next }
}

export function note(check: string, found: string): Finding {
  return { result: 'note', check, found, next: '' }
}
