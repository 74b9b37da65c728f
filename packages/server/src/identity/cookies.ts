import type { PageRequest } from './request.ts'

/**
 * `session`: who is signed in. `browser`: ties a form to the browser that it was sent to, where nobody is signed in.
 * `device`: somebody has signed in with this browser before.
 */
type CookieName = 'session' | 'browser' | 'device'

/**
 * Over HTTPS the name itself keeps neighbours of the domain from setting one (`__Host-`, RFC 6265bis section
 * 4.1.3.2); plain HTTP is for loopback alone and cannot have it.
 */
export interface Cookies {
  read(request: PageRequest, name: CookieName): string | null
  /** Header line. `maxAgeMs` null: for as long as the browser runs. */
  set(name: CookieName, value: string, maxAgeMs: number | null): readonly [string, string]
  clear(name: CookieName): readonly [string, string]
}

export function createCookies(publicUrl: () => string): Cookies {
  const secure = () => publicUrl().startsWith('https:')
  const written = (name: CookieName): string => `${secure() ? '__Host-' : ''}postern_${name}`
  const line = (name: CookieName, value: string, age: string): readonly [string, string] => [
    'Set-Cookie',
    `${written(name)}=${value}; Path=/${secure() ? '; Secure' : ''}; HttpOnly; SameSite=Lax${age}`,
  ]
  return {
    read: ({ cookies }, name) => cookies.get(written(name)) ?? null,
    set: (name, value, maxAgeMs) =>
      line(name, value, maxAgeMs === null ? '' : `; Max-Age=${Math.floor(maxAgeMs / 1000)}`),
    clear: (name) => line(name, '', '; Max-Age=0'),
  }
}
