// oxlint-disable no-control-regex -- control characters are exactly what this is about

/** How a text is to be shown. */
export interface HarmlessOptions {
  /** Whether colours and bold may stay: those that this program uses itself. */
  readonly colours: boolean
}

/** Colour and weight only (ECMA-48 SGR): not conceal, blink or inverse, which can hide what a line says. */
const COLOUR = /\u001B\[(?:(?:0|1|22|39|3[0-7]|9[0-7])(?:;(?=\d)|(?=m)))*m/y
const ANY_COLOUR = /\u001B\[[\d;:]*m/y

/** C0 without tab and newline, DEL, C1, and the marks that turn the direction of text around. */
const OBEYED = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g

/**
 * Text that comes from branches, logs and documents as a terminal may get it: what the terminal would obey (titles, cursor moves, erased lines,
 * turned text) is shown as `\u001b` and the like. Tabs and newlines stay, and colours as `options` say; others are taken out. JSON stays the same JSON.
 */
export function harmless(text: string, options: HarmlessOptions): string {
  const plain = text.replaceAll(/\r(?=\n|$)/g, '')
  let shown = ''
  let done = 0
  for (const { index } of plain.matchAll(OBEYED)) {
    if (index < done) continue
    shown += plain.slice(done, index)
    const colour = colourAt(plain, index)
    if (colour === undefined) shown += visible(plain.charCodeAt(index))
    else if (options.colours && isUsed(colour)) shown += colour
    done = index + (colour?.length ?? 1)
  }
  return shown + plain.slice(done)
}

function colourAt(text: string, index: number): string | undefined {
  ANY_COLOUR.lastIndex = index
  return ANY_COLOUR.exec(text)?.[0]
}

function isUsed(sequence: string): boolean {
  COLOUR.lastIndex = 0
  return COLOUR.test(sequence)
}

function visible(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`
}
