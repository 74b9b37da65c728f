/** Tries that are spent at most on one failure. */
const triesMax = 600

/**
 * The smallest text found that still fails: pieces are left out as long as that works, first whole lines, then halves,
 * quarters and so on down to single bytes.
 */
export async function minimised(text: string, fails: (text: string) => Promise<boolean>): Promise<string> {
  let best = text
  let tries = 0
  const attempt = async (candidate: string): Promise<boolean> => {
    if (tries++ >= triesMax || candidate === '' || !(await fails(candidate))) return false
    best = candidate
    return true
  }
  const lines = (): string[] => best.split(/(?<=\n)/)
  for (let i = lines().length - 1; i >= 0; i--) await attempt(lines().toSpliced(i, 1).join(''))
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = best.length - size; at > -size; at -= size) {
      const from = Math.max(0, at)
      await attempt(best.slice(0, from) + best.slice(from + size))
    }
  }
  return best
}
