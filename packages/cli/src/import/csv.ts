/** The cells of one line of CSV (RFC 4180, without line breaks inside of cells); null where its quotes do not close. */
export function csvCells(line: string): readonly string[] | null {
  const cells: string[] = []
  let at = 0
  for (;;) {
    if (line.charAt(at) === '"') {
      const end = closingQuote(line, at + 1)
      if (end === -1 || (end + 1 < line.length && line.charAt(end + 1) !== ',')) return null
      cells.push(line.slice(at + 1, end).replaceAll('""', '"'))
      at = end + 1
    } else {
      const comma = line.indexOf(',', at)
      const end = comma === -1 ? line.length : comma
      const cell = line.slice(at, end)
      if (cell.includes('"')) return null
      cells.push(cell.trim())
      at = end
    }
    if (at >= line.length) return cells
    at++
  }
}

function closingQuote(line: string, from: number): number {
  for (let i = from; i < line.length; i++) {
    if (line.charAt(i) !== '"') continue
    if (line.charAt(i + 1) !== '"') return i
    i++
  }
  return -1
}
