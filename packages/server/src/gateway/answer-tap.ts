/**
 * Hears an answer as the upstream gave it, while it is passed on. It can neither change nor delay it, and each answer
 * ends in exactly one of `end` and `aborted`.
 */
export interface AnswerTap {
  /** Header lines: name, value, … as sent by the upstream. */
  head(status: number, lines: readonly string[]): void
  /** A piece of the body, which must not be changed. */
  data(chunk: Buffer): void
  end(trailers: readonly string[]): void
  /** Whole it will never be: the upstream failed, was too slow, or the client has gone. Also before `head`. */
  aborted(reason: 'client_gone' | 'upstream_error'): void
}

/** Takes something out of an answer in chunks. It may hold back the beginning of what it has not seen whole. */
export interface AnswerFilter {
  /** What the client gets for a chunk; the tap has heard it already. */
  passed(chunk: Buffer): Buffer
  /** What was held back, once the upstream has said all. */
  held(): Buffer
}
