import { stripVTControlCharacters } from 'node:util'
import Table from 'cli-table3'
import type { Style } from './style.js'

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const

/** Rows under a head in upper case, columns two blanks apart, no lines and no blanks at the end. */
export function renderTable(style: Style, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = bare()
  table.push(head.map((title) => style('quiet', title.toUpperCase())))
  for (const row of rows) table.push([...row])
  return trimLines(table.toString())
}

/** A table that may have to do without some of its columns. */
export interface FittingTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Titles of columns that a narrow terminal can do without, the least needed first. */
  readonly optional: readonly string[]
  /** How wide the terminal is; 0: nobody watches, and nothing is left out. */
  readonly columns: number
}

/** As {@link renderTable}, without optional columns for which the terminal is too narrow; a last line says which those are. */
export function renderFittingTable(style: Style, { head, rows, optional, columns }: FittingTable): string {
  const left: string[] = []
  let text = renderTable(style, head, rows)
  for (const title of optional) {
    if (columns === 0 || widthOf(text) <= columns) break
    left.push(title)
    const kept = head.flatMap((one, index) => (left.includes(one) ? [] : [index]))
    const pick = (row: readonly string[]): readonly string[] => kept.map((index) => row[index] ?? '')
    text = renderTable(style, pick(head), rows.map(pick))
  }
  return left.length === 0
    ? text
    : `${text}\n${style('quiet', `left out for the width of the terminal: ${left.join(', ')}`)}`
}

function widthOf(text: string): number {
  return Math.max(...text.split('\n').map((line) => stripVTControlCharacters(line).length))
}

/** Names and values in two columns; pairs without a value are left out. */
export function renderPairs(style: Style, pairs: readonly (readonly [name: string, value: string | null])[]): string {
  const table = bare()
  for (const [name, value] of pairs) if (value !== null && value !== '') table.push([style('quiet', name), value])
  return trimLines(table.toString())
}

function bare(): InstanceType<typeof Table> {
  return new Table({ chars: NO_BORDERS, style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] } })
}

function trimLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
