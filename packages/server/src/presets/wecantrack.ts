import type { Preset } from '../core/apis/api.ts'
import { bearer, common, corsOf, everywhere, readMethods, writeMethods } from './parts.ts'

const places = [bearer(['key'])]

/** Tracking and conversion data: reading needs no scope, writing needs `write` (WCT-4, WCT-12). */
export const wecantrack: Preset = {
  ...common,
  id: 'wecantrack',
  places,
  scopes: { read: 'Read data', write: 'Create, change and delete data' },
  roles: { 'read-only': ['read'], 'read-write': ['read', 'write'] },
  routes: [everywhere('read', readMethods, []), everywhere('write', writeMethods, ['write'])],
  cors: corsOf(places),
}
