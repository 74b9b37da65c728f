import { FieldLines, readFieldLines } from './field-lines.ts'

/** Takes the data of chunks as it is found: `bytes` from `start` to `end`, to be used before the call returns. */
export interface ChunkData {
  chunkData(bytes: Buffer, start: number, end: number): void
}

type State = 'size' | 'extension' | 'size_end' | 'data' | 'data_cr' | 'data_lf' | 'trailers' | 'ended' | 'broken'

const sizeDigitsMax = 12
const extensionBytesMax = 16_384
const trailerBytesMax = 16_384
const trailerLinesMax = 100

/**
 * The chunked coding (RFC 9112, section 7.1), checked byte by byte, wherever packets divide it. Extensions are read
 * over within bounds. `ended`: the message is whole; `broken`: it never will be.
 */
export class ChunkedDecoder {
  state: State = 'size'
  /** Name, value, … of the trailer section, once it has ended. */
  trailers: readonly string[] = []
  #left = 0
  #digits = 0
  #extensionBytes = 0
  #trailerText = ''

  /** Reads on from `at`, and returns where it stopped: at `end`, or before it where the message ended or broke. */
  read(bytes: Buffer, at: number, end: number, into: ChunkData): number {
    let i = at
    while (i < end) {
      switch (this.state) {
        case 'size':
          this.#size(bytes[i++] ?? 0)
          break
        case 'extension':
          this.#extension(bytes[i++] ?? 0)
          break
        case 'size_end':
          if (bytes[i++] !== lf) this.state = 'broken'
          else this.state = this.#left === 0 ? 'trailers' : 'data'
          break
        case 'data': {
          const until = Math.min(end, i + this.#left)
          this.#left -= until - i
          if (this.#left === 0) this.state = 'data_cr'
          into.chunkData(bytes, i, until)
          i = until
          break
        }
        case 'data_cr':
          this.state = bytes[i++] === cr ? 'data_lf' : 'broken'
          break
        case 'data_lf':
          this.state = bytes[i++] === lf ? 'size' : 'broken'
          this.#digits = 0
          this.#left = 0
          break
        case 'trailers':
          this.#trailer(bytes[i++] ?? 0)
          break
        case 'ended':
        case 'broken':
          return i
      }
    }
    return i
  }

  #size(byte: number): void {
    const digit = hexDigit(byte)
    if (digit !== -1 && this.#digits < sizeDigitsMax) {
      this.#left = this.#left * 16 + digit
      this.#digits++
    } else if (this.#digits === 0) this.state = 'broken'
    else if (byte === cr) this.state = 'size_end'
    else this.state = byte === semicolon ? 'extension' : 'broken'
  }

  #extension(byte: number): void {
    if (byte === cr) this.state = 'size_end'
    else if (++this.#extensionBytes > extensionBytesMax || byte === 0x7f || (byte < 0x20 && byte !== 0x09))
      this.state = 'broken'
  }

  /** Byte by byte until the empty line: trailers are rare and short. */
  #trailer(byte: number): void {
    this.#trailerText += String.fromCodePoint(byte)
    const text = this.#trailerText
    if (byte === lf && (text === '\r\n' || text.endsWith('\r\n\r\n'))) this.#end(text)
    else if (text.length > trailerBytesMax) this.state = 'broken'
  }

  #end(text: string): void {
    const spots: number[] = []
    const plain = readFieldLines(text, 0, trailerLinesMax, spots) === text.length
    this.state = plain ? 'ended' : 'broken'
    if (plain) this.trailers = new FieldLines(text, spots).pairs
  }
}

const cr = 0x0d
const lf = 0x0a
const semicolon = 0x3b

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
