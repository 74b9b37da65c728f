/**
 * The room that bodies take while they are held whole, in bytes. It is for all together, and one account has at most
 * half of it: whoever sends large bodies slowly keeps nobody else from sending any.
 */
export class HeldBodies {
  readonly #bytesMax: number
  readonly #ofAccounts = new Map<string, number>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** False, and nothing is taken, where there is no room for so many more. Without an account only all is bounded. */
  claim(account: string | null, bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false
    if (account !== null) {
      const own = (this.#ofAccounts.get(account) ?? 0) + bytes
      if (own > this.#bytesMax / 2) return false
      this.#ofAccounts.set(account, own)
    }
    this.#bytes += bytes
    return true
  }

  release(account: string | null, bytes: number): void {
    this.#bytes -= bytes
    if (account === null) return
    const left = (this.#ofAccounts.get(account) ?? 0) - bytes
    if (left > 0) this.#ofAccounts.set(account, left)
    else this.#ofAccounts.delete(account)
  }
}
