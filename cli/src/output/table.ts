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
