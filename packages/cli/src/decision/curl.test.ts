import { describe, expect, it } from 'vitest'

import { parseCurl } from './curl.ts'
import { shellWords } from './shell-words.ts'

describe('shellWords', () => {
  it.each([
    [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
    [`a\\ b`, ['a b']],
    ['a \\\n  b', ['a', 'b']],
    [`"x\\"y" 'x\\y'`, ['x"y', 'x\\y']],
    [`"Bearer $KEY" '\${KEY}'`, ['Bearer value', 'value']],
    [`''`, ['']],
  ])('splits %s', (line, words) => {
    expect(shellWords(line, { KEY: 'value' })).toEqual(words)
  })

  it('says which variable is not set', () => {
    expect(() => shellWords('curl $NOPE', {})).toThrow('The variable NOPE is not set')
  })

  it('refuses an open quote', () => {
    expect(() => shellWords(`curl 'x`, {})).toThrow('not complete')
  })
})

describe('parseCurl', () => {
  it('reads the line of a document', () => {
    const line = `curl -X GET -H "X-Client-Token: $T" -H "origin: yourdomain.com" -d '{"order":{}}' "https://host/client/v1/validate?code=A"`
    const { method, url, headers } = parseCurl(line, { T: 't' })
    expect([method, url.href]).toEqual(['GET', 'https://host/client/v1/validate?code=A'])
    expect(headers).toEqual([
      ['x-client-token', 't'],
      ['origin', 'yourdomain.com'],
    ])
  })

  it.each([
    ['curl https://x -d 1', 'POST'],
    ['curl -XDELETE https://x', 'DELETE'],
    ['curl --request=PUT https://x', 'PUT'],
    ['curl -G -d a=1 https://x', 'GET'],
    ['curl -I https://x', 'HEAD'],
    ['curl -s -o /dev/null -w %{http_code} https://x', 'GET'],
  ])('%s is a %s', (line, method) => {
    expect(parseCurl(line, {})).toMatchObject({ method })
  })

  it('makes Basic of a user', () => {
    expect(parseCurl('curl -u id:$P https://x', { P: 'p' }).headers).toEqual([
      ['authorization', `Basic ${btoa('id:p')}`],
    ])
  })

  it.each(['wget https://x', 'curl', 'curl -H nothing https://x'])('refuses %s', (line) => {
    expect(() => parseCurl(line, {})).toThrow('not a curl line')
  })
})
