/** How a bench is asked to run. */
interface RunOptions {
  /** A look within a minute: fewer rounds, smaller sets. What it leaves out is named in the notes. */
  readonly quick: boolean
  /** A word about what is happening, for people; nothing where a program reads the output. */
  readonly progress: (text: string) => void
}

export interface Bench {
  readonly name: string
  /** One line for the list. */
  readonly about: string
  run(options: RunOptions): Promise<Report>
}

export interface Report {
  readonly tables: readonly Table[]
  readonly bars: readonly Bar[]
  /** What a reader has to know beside the numbers: how it was measured, what was left out. */
  readonly notes: readonly string[]
}

/** The first row are the headings; the first column is text, the others are numbers with their unit. */
export interface Table {
  readonly title: string
  readonly rows: readonly (readonly string[])[]
}

/** What was promised, and whether this run kept it. `unmeasured`: this machine or this mode could not tell. */
export interface Bar {
  readonly promise: string
  readonly measured: string
  readonly verdict: 'holds' | 'missed' | 'unmeasured'
}

export function bar(promise: string, measured: string, holds: boolean): Bar {
  return { promise, measured, verdict: holds ? 'holds' : 'missed' }
}

export function unmeasured(promise: string, why: string): Bar {
  return { promise, measured: why, verdict: 'unmeasured' }
}
