import { createHash } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { inBatches, type Batch, type RefusedLine } from './batches.ts'
import { csvCells } from './csv.ts'
import { readImport } from './file.ts'
import type { ImportDefaults } from './lines.ts'

const defaults: ImportDefaults = { apis: ['shop'], kind: 'secret', scopes: [], hash: false }
const digest = createHash('sha256').update('secret-of-a-customer').digest('hex')
const other = createHash('sha256').update('another').digest('base64')

async function read(text: string, more: Partial<ImportDefaults> = {}) {
  const refused: RefusedLine[] = []
  const batches: Batch[] = []
  const lines = readImport({ text }, { ...defaults, ...more })
  for await (const batch of inBatches(lines, (line) => refused.push(line))) batches.push(batch)
  return { batches, refused, credentials: batches.flatMap(({ credentials }) => credentials) }
}

describe('JSON lines', () => {
  it('fills in what holds for the whole file', async () => {
    const { credentials, refused } = await read(
      `{"digest":"${digest}","name":"one"}\n\n{"digest":"${other}","name":"two","apis":["mail"],"scopes":["a"]}\n`,
    )
    expect(refused).toEqual([])
    expect(credentials).toEqual([
      { digest, name: 'one', apis: ['shop'], kind: 'secret', scopes: [] },
      { digest: other, name: 'two', apis: ['mail'], kind: 'secret', scopes: ['a'] },
    ])
  })

  it.each([
    ['not JSON', 'is not JSON'],
    ['[1]', 'is not a JSON object'],
    ['{"digset":"x"}', 'has the unknown field "digset"; known are'],
    [`{"${digest}":"x"}`, 'has the unknown field (not shown)'],
    ['{"name":"x"}', 'digest is missing'],
    ['{"digest":"abc","name":"x"}', 'digest is not SHA-256 in 64 hex digits or base64'],
    [`{"digest":"${digest}"}`, 'name is missing'],
    [`{"digest":"${digest}","name":5}`, 'name is not a text'],
    [`{"digest":"${digest}","name":"x","scopes":"a"}`, 'scopes is not a list of texts'],
    ['{"secret":"in-the-clear","name":"x"}', 'has a secret in clear; --hash hashes it here'],
  ])('refuses %s with its number, and never repeats it', async (line, reason) => {
    const { credentials, refused } = await read(`{"digest":"${other}","name":"one"}\n${line}\n`)
    expect(credentials).toHaveLength(1)
    expect(refused).toHaveLength(1)
    expect(refused[0]).toMatchObject({ number: 2 })
    expect(refused[0]?.reason).toContain(reason)
    expect(refused[0]?.reason).not.toMatch(new RegExp(`${digest}|in-the-clear`))
  })

  it('refuses a digest that the file has twice, also in another spelling', async () => {
    const base64 = Buffer.from(digest, 'hex').toString('base64url')
    const { refused } = await read(`{"digest":"${digest}","name":"one"}\n{"digest":"${base64}","name":"two"}\n`)
    expect(refused).toEqual([{ number: 2, reason: 'has the same digest as line 1' }])
  })
})

describe('CSV', () => {
  it('takes the names of its columns from the first line', async () => {
    const { credentials } = await read(`\uFEFFdigest,name,scopes\r\n${digest},"Smith, ""Jo""",a b\r\n`)
    expect(credentials).toEqual([{ digest, name: 'Smith, "Jo"', scopes: ['a', 'b'], apis: ['shop'], kind: 'secret' }])
  })

  it('stops where the first line names none, without repeating it', async () => {
    await expect(read(`${digest},one\n`)).rejects.toThrow('The first line does not name the columns')
  })

  it('refuses a line with too few columns or open quotes', async () => {
    const { refused } = await read(`digest,name\n${digest}\n${digest},"open\n`)
    expect(refused.map(({ number }) => number)).toEqual([2, 3])
  })

  it.each([
    ['a,b', ['a', 'b']],
    ['a,', ['a', '']],
    ['"a,b",c', ['a,b', 'c']],
    ['"a""b"', ['a"b']],
    ['"a"b', null],
    ['a"b', null],
    ['"a', null],
  ])('reads %s', (line, cells) => {
    expect(csvCells(line)).toEqual(cells)
  })
})

describe('--hash', () => {
  it('sends the digest in place of the secret', async () => {
    const { credentials } = await read('{"secret":"secret-of-a-customer","name":"one"}', { hash: true })
    expect(credentials).toEqual([{ digest, name: 'one', apis: ['shop'], kind: 'secret', scopes: [] }])
  })

  it('refuses a file of digests', async () => {
    const { refused } = await read(`{"digest":"${digest}","name":"one"}`, { hash: true })
    expect(refused).toEqual([{ number: 1, reason: 'has a digest, although --hash says that the file holds secrets' }])
  })
})

describe('calls', () => {
  it('hold at most a thousand lines', async () => {
    const lines = Array.from({ length: 2_001 }, (_, i) => `{"secret":"s${i}","name":"n"}`).join('\n')
    const { batches } = await read(lines, { hash: true })
    expect(batches.map(({ credentials }) => credentials.length)).toEqual([1_000, 1_000, 1])
    expect(batches[1]?.numbers[0]).toBe(1_001)
  })
})
