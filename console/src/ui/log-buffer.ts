import type { LogLine } from '@tributary/contract'

/** The page keeps so many lines, and so many characters; older ones are dropped. */
const MAX_LINES = 20_000
const MAX_CHARACTERS = 8_000_000
/** Longer lines are cut for the page. */
const MAX_LINE = 4000
/** Lines are dropped in portions, since each time all that stay move. */
const PORTION = 0.1

/** The newest lines of a log, bounded in number and size whatever comes in. */
export class LogBuffer {
  #lines: LogLine[] = []
  #characters = 0
  #dropped = 0

  /** How many lines were dropped. */
  get dropped(): number {
    return this.#dropped
  }

  add(line: LogLine): void {
    const text = line.text.length > MAX_LINE ? `${copied(line.text.slice(0, MAX_LINE))} …` : line.text
    this.#lines.push(text === line.text ? line : { ...line, text })
    this.#characters += text.length
    if (this.#lines.length > MAX_LINES || this.#characters > MAX_CHARACTERS) this.#drop()
  }

  clear(): void {
    this.#lines = []
    this.#characters = 0
    this.#dropped = 0
  }

  /** The lines of a source (default: all) that hold a text, in their order. Case does not matter. */
  select({ source, text }: { readonly source?: string | undefined; readonly text: string }): readonly LogLine[] {
    const wanted = text.toLowerCase()
    return this.#lines.filter(
      (line) =>
        (source === undefined || line.source === source) && (wanted === '' || line.text.toLowerCase().includes(wanted)),
    )
  }

  #drop(): void {
    const least = Math.ceil(this.#lines.length * PORTION)
    let count = 0
    while (count < least || this.#characters > MAX_CHARACTERS) {
      this.#characters -= this.#lines[count]?.text.length ?? 0
      count += 1
    }
    this.#lines = this.#lines.slice(count)
    this.#dropped += count
  }
}

/** A string of its own: a slice would keep the whole line in memory for as long as it lives. */
function copied(text: string): string {
  return String(JSON.parse(JSON.stringify(text)))
}
