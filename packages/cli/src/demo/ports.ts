/** Below the working directory; everything of the demonstration is in it. */
export const demoFolder = '.postern'

/** Every port of the demonstration, all on 127.0.0.1. */
export interface DemoPorts {
  readonly wecantrack: number
  readonly clickmeter: number
  readonly cardconnect: number
  /** Providers of language models, each below its name. */
  readonly llm: number
  readonly voucherify: number
  readonly console: number
  readonly ops: number
}

export const defaultBase = 9_000

/** The systems count from the base, and so do console and ops once it is moved. */
export function demoPorts(base: number): DemoPorts {
  const moved = base !== defaultBase
  return {
    wecantrack: base + 1,
    clickmeter: base + 2,
    cardconnect: base + 3,
    llm: base + 4,
    voucherify: base + 5,
    console: moved ? base + 81 : 8_081,
    ops: moved ? base + 82 : 8_082,
  }
}
