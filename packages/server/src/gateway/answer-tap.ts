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
