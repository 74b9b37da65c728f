/**
 * What an operation's description demands of a request, ready to be compared (OpenAPI 3.1, sections 4.8.12 and
 * 4.8.13). Faults are sentences for the caller: they name places and rules, never a value that was sent.
 */
export interface RequestContract {
  /** `path` as the pattern sees it, `query` raw with its `?`. Null where both and the headers fit. */
  headFault(path: string, query: string, headers: readonly string[]): string | null
  /** Null where the operation describes no body: then none is read. */
  readonly body: BodyContract | null
}

export interface BodyContract {
  /** Whether a body of this type has to be held whole to be judged: JSON has, everything else streams. */
  isRead(contentType: string | null): boolean
  /** `present`: the head announces one. `body` is null where there is none, or where it is not read. */
  fault(contentType: string | null, present: boolean, body: Uint8Array | null): string | null
}
