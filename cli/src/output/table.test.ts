import { describe, expect, it } from 'vitest'
import { styleFor } from './style.js'
import { renderFittingTable } from './table.js'

const style = styleFor({ isTTY: false, columns: 0, write: () => {} }, {})
const table = {
  head: ['name', 'phase', 'url'],
  rows: [['feature-x', 'ready', 'http://feature-x.localhost:7480']],
  optional: ['url', 'phase'],
}
const lines = (columns: number): string[] => renderFittingTable(style, { ...table, columns }).split('\n')

describe('a table that does not fit', () => {
  it.each([0, 80])('has all columns at a width of %i', (columns) => {
    expect(lines(columns)).toEqual(['NAME       PHASE  URL', 'feature-x  ready  http://feature-x.localhost:7480'])
  })

  it('goes without what is needed least, and says so', () => {
    expect(lines(40)).toEqual(['NAME       PHASE', 'feature-x  ready', 'left out for the width of the terminal: url'])
  })

  it('keeps what it cannot do without', () => {
    expect(lines(5)).toEqual(['NAME', 'feature-x', 'left out for the width of the terminal: url, phase'])
  })
})
