import {
  type Document,
  LineCounter,
  type Pair,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  visit,
} from 'yaml'

import { type Result, fail, ok } from '../base/result.ts'
import { type ConfigError, type Path, pathText } from './issue.ts'

export type Env = Readonly<Record<string, string | undefined>>

/** A YAML (or JSON) text with the place of everything in it. */
export interface Source {
  readonly file: string
  readonly value: unknown
  /** An error at a node, or at the key that names it. */
  error(path: Path, message: string, part?: 'key' | 'value'): ConfigError
}

/** Reads the text; `${NAME}` inside of values is replaced from `env` where it is given. */
export function parseSource(file: string, text: string, env: Env | null): Result<Source, readonly ConfigError[]> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number | undefined, path: Path, message: string): ConfigError => {
    const place = offset === undefined ? { line: 1, col: 1 } : lines.linePos(offset)
    return { file, line: Math.max(1, place.line), column: Math.max(1, place.col), path: pathText(path), message }
  }
  const faults = [...document.errors, ...document.warnings]
  if (faults.length > 0) return fail(faults.map((fault) => at(fault.pos[0], [], lowerFirst(fault.message))))
  const problems = prepare(document, env)
  if (problems.length > 0) return fail(problems.map(({ offset, message }) => at(offset, [], message)))
  try {
    const value: unknown = document.toJS()
    return ok({
      file,
      value,
      error: (path, message, part = 'value') => at(offsetOf(document, path, part), path, message),
    })
  } catch (cause) {
    return fail([at(0, [], cause instanceof Error ? lowerFirst(cause.message) : 'the file cannot be read')])
  }
}

interface Problem {
  readonly offset: number | undefined
  readonly message: string
}

/** Replaces `${NAME}` in values, and refuses keys that are not plain text. */
function prepare(document: Document, env: Env | null): readonly Problem[] {
  const problems: Problem[] = []
  visit(document, {
    Pair: (_, { key }) => {
      if (!isScalar(key)) problems.push({ offset: startOf(key), message: 'a key must be plain text; put it in quotes' })
    },
    Scalar: (key, node) => {
      if (env === null || key === 'key' || typeof node.value !== 'string') return
      node.value = node.value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
        const value = env[name]
        const offset = node.range?.[0]
        if (value === undefined) problems.push({ offset, message: `the environment variable ${name} is not set` })
        return value ?? ''
      })
    },
  })
  return problems
}

/** Where the node stands, or its nearest ancestor that is written in the file. */
function offsetOf(document: Document, path: Path, part: 'key' | 'value'): number | undefined {
  let node: unknown = document.contents
  let offset = startOf(node)
  for (const [index, step] of path.entries()) {
    const parent: unknown = isAlias(node) ? node.resolve(document) : node
    if (isMap(parent)) {
      const pair: Pair | undefined = parent.items.find(
        ({ key }) => String(isScalar(key) ? key.value : key) === String(step),
      )
      if (pair === undefined) return offset
      const ofKey = startOf(pair.key)
      node = pair.value
      offset = part === 'key' && index === path.length - 1 ? ofKey : (startOf(node) ?? ofKey)
    } else if (isSeq(parent) && typeof step === 'number') {
      node = parent.items[step]
      offset = startOf(node) ?? offset
    } else return offset
  }
  return offset
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
