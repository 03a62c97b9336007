/** Rows of {@link STATIC_TABLE}. */
export const STATIC_ROWS = 1000

/**
 * The machine's own share: a table of as many rows as the list of environments has, without a script or an image. What drawing and
 * scrolling this costs, no page can do without.
 */
export const STATIC_TABLE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Static</title></head><body><table>${Array.from(
  { length: STATIC_ROWS },
  (_, index) =>
    `<tr height="68"><td>Ready<td>feature-${index}<td>orders payments<td>shop aaaaaaaa<td>2 min ago<td>No limit<td>Open</tr>`,
).join('')}</table></body></html>`
