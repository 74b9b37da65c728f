import type { Place } from '../apis/api.ts'
import { classifyKey, isPresentable, type ShapeClass } from '../credentials/format.ts'
import { digestWords } from '../records/digest-words.ts'
import type { Presented } from './evaluation.ts'

/**
 * What was worked out of the credential that came last over one connection: the next request mostly brings the same.
 * Only what follows from the text alone is kept; whether it is known, and may do anything, is looked up each time.
 *
 * It is held in clear for as long as its connection is open.
 */
export class Seen {
  #place: Place | null = null
  #value = ''
  #found: readonly Presented[] = []
  #presentable: string | null = null
  #classified: string | null = null
  #brands: readonly string[] = []
  #shape: ShapeClass = 'malformed'
  #digested: string | null = null
  readonly #words = new Int32Array(8)

  /** What was found in the place where the one header in which it looks had that value; null where it was another. */
  found(place: Place, value: string): readonly Presented[] | null {
    return place === this.#place && value === this.#value ? this.#found : null
  }

  keep(place: Place, value: string, found: readonly Presented[]): void {
    this.#place = place
    this.#value = value
    this.#found = found
  }

  /** As `isPresentable`. */
  isPresentable(secret: string): boolean {
    if (secret === this.#presentable) return true
    if (!isPresentable(secret)) return false
    this.#presentable = secret
    return true
  }

  /** As `classifyKey`. */
  shape(secret: string, brands: readonly string[]): ShapeClass {
    if (secret !== this.#classified || brands !== this.#brands) {
      this.#shape = classifyKey(secret, brands)
      this.#classified = secret
      this.#brands = brands
    }
    return this.#shape
  }

  /** As `digestWords`. */
  digest(secret: string, out: Int32Array): void {
    if (secret !== this.#digested) {
      digestWords(secret, this.#words)
      this.#digested = secret
    }
    for (let i = 0; i < 8; i++) out[i] = this.#words[i] ?? 0
  }
}
