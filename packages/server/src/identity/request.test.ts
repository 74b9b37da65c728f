import { describe, expect, it } from 'vitest'

import { basePath, ipText, readRequest } from './request.ts'
import { aRequest, form, received, transport } from './testing/request.ts'

const site = { publicUrl: 'https://id.example.com', transport }
const error = (sent: Parameters<typeof received>[0]) => {
  const read = readRequest(received(sent), site)
  return read.ok ? null : read.error
}

describe('a request for a page', () => {
  it('is read as path, query, form, cookies, and who sent it', () => {
    const request = aRequest({
      method: 'POST',
      target: '/sign-in?continue=%2Fme&again=1',
      headers: [...form, 'Cookie', 'a=1; b="2"', 'User-Agent', 'x'.repeat(300), 'cookie', 'c=3'],
      body: 'email=ada%40example.com&password=a+b%26c',
    })
    expect(request).toMatchObject({
      method: 'POST',
      path: '/sign-in',
      target: '/sign-in?continue=%2Fme&again=1',
      now: 1000,
    })
    expect([request.query.get('continue'), request.form.get('email'), request.form.get('password')]).toEqual([
      '/me',
      'ada@example.com',
      'a b&c',
    ])
    expect([...request.cookies]).toEqual([
      ['a', '1'],
      ['b', '"2"'],
      ['c', '3'],
    ])
    expect([ipText(request), request.userAgent?.length]).toEqual(['192.0.2.7', 256])
  })

  it('has no field and no cookie that comes twice', () => {
    const request = aRequest({
      method: 'POST',
      target: '/sign-in?continue=/me&continue=/other',
      headers: [...form, 'Cookie', 'a=1; a=2', 'Cookie', 'b=1', 'Cookie', 'b=1'],
      body: 'email=a&email=b&scope=x&scope=y',
    })
    expect([request.query.get('continue'), request.form.get('email')]).toEqual([null, null])
    expect(request.form.all('scope')).toEqual(['x', 'y'])
    expect(request.cookies.size).toBe(0)
  })

  it('takes HEAD for GET, and nothing but GET and POST', () => {
    expect(aRequest({ method: 'HEAD' }).method).toBe('GET')
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) expect(error({ method })).toBe('method')
  })

  it.each([
    [['Content-Type', 'application/x-www-form-urlencoded; charset=UTF-8'], null],
    [['content-type', 'Application/X-WWW-Form-URLencoded'], null],
    [[], 'media_type'],
    [['Content-Type', 'application/json'], 'media_type'],
    [['Content-Type', 'text/plain'], 'media_type'],
    [['Content-Type', 'multipart/form-data; boundary=x'], 'media_type'],
    [['Content-Type', 'application/x-www-form-urlencodedx'], 'media_type'],
    [[...form, ...form], 'media_type'],
  ])('has a form where its type is %s', (headers, expected) => {
    expect(error({ method: 'POST', headers, body: 'a=b' })).toBe(expected)
  })

  it('has a form of 64 KiB at most', () => {
    const body = `a=${'x'.repeat(65_534)}`
    expect(error({ method: 'POST', headers: form, body })).toBeNull()
    expect(error({ method: 'POST', headers: form, body: `${body}x` })).toBe('too_large')
  })

  it('comes over HTTPS, or from where plain HTTP is allowed (48)', () => {
    expect(error({ encrypted: false })).toBe('insecure')
    expect(error({ encrypted: false, peer: '127.0.0.1' })).toBeNull()
    expect(error({ encrypted: false, peer: '127.0.0.1', plainOnTls: true })).toBe('insecure')
    const proto = (value: string) => ['X-Forwarded-Proto', value, 'X-Forwarded-For', '192.0.2.9']
    expect(error({ encrypted: false, headers: proto('https') })).toBe('insecure')
    expect(error({ encrypted: false, peer: '10.0.0.1', headers: proto('https') })).toBeNull()
    expect(error({ peer: '10.0.0.1', headers: proto('http') })).toBe('insecure')
    expect(ipText(aRequest({ peer: '10.0.0.1', headers: proto('https') }))).toBe('192.0.2.9')
  })

  it('is below the path of the public URL, whether or not a proxy has taken that away', () => {
    const publicUrl = 'https://example.com/postern/'
    expect(basePath(publicUrl)).toBe('/postern')
    for (const target of ['/postern/me?done=x', '/me?done=x']) {
      expect(aRequest({ target }, publicUrl)).toMatchObject({ path: '/me', target: '/me?done=x' })
    }
    expect(aRequest({ target: '/posternX/me' }, publicUrl).path).toBe('/posternX/me')
  })
})
