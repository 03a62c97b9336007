import type { AddHelpTextContext } from 'commander'
import type { TextSink } from '../runtime.js'

/** Where nobody watches, or nobody says how wide it is. */
const USUAL_WIDTH = 80
/** Longer lines are tiresome to read, however wide the terminal is. */
const WIDEST = 100
const NARROWEST = 40

/** How wide help is on a terminal. */
export function helpWidthOf({ columns }: Pick<TextSink, 'columns'>): number {
  return Math.max(NARROWEST, Math.min(WIDEST, columns > 0 ? columns : USUAL_WIDTH))
}

/** What `addHelpText` gets for text as wide as the help above it. Lines that begin with a space stand as they are; others are joined, up to an empty line. */
export function helpNote(text: string): (context: AddHelpTextContext) => string {
  return ({ command, error }) => {
    const output = command.configureOutput()
    const width = error ? output.getErrHelpWidth?.() : output.getOutHelpWidth?.()
    return `\n${wrapped(text, width ?? USUAL_WIDTH)}`
  }
}

/** Text in lines of at most `width`, where its words allow it. What goes on from an indented line or a column stands below it. */
export function wrapped(text: string, width: number): string {
  return paragraphsOf(text)
    .flatMap((paragraph) => wrapParagraph(paragraph, width))
    .join('\n')
}

function paragraphsOf(text: string): readonly string[] {
  const paragraphs: string[] = []
  for (const line of text.trim().split('\n')) {
    const before = paragraphs.at(-1) ?? ''
    const goesOn = before !== '' && line !== '' && !line.startsWith(' ') && !before.startsWith(' ')
    if (goesOn) paragraphs[paragraphs.length - 1] = `${before} ${line}`
    else paragraphs.push(line)
  }
  return paragraphs
}

function wrapParagraph(paragraph: string, width: number): readonly string[] {
  // A column is what two spaces end: it is kept as it is, and what follows stands beside it.
  const [start = ''] = /^ *(?:\S+(?: \S+)* {2,})?/.exec(paragraph) ?? []
  const indent = paragraph.startsWith(' ') ? start.length : 0
  const lines: string[] = []
  let line = paragraph.slice(0, indent)
  for (const word of paragraph.slice(indent).split(' ')) {
    const isFirst = line.length === indent
    if (!isFirst && line.length + 1 + word.length > width) {
      lines.push(line)
      line = `${' '.repeat(indent)}${word}`
    } else line += isFirst ? word : ` ${word}`
  }
  return [...lines, line]
}
