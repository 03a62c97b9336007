import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { renderOpenApi } from './render-openapi.js'

const REFERENCE = new URL('../../../docs/reference/config-center.openapi.json', import.meta.url)

interface Operation {
  readonly summary?: string
  readonly responses: Readonly<Record<string, unknown>>
}

describe('the OpenAPI description', () => {
  it('in docs/reference is the one that the server has (npm run generate)', async () => {
    expect(await readFile(REFERENCE, 'utf8')).toBe(await renderOpenApi())
  })

  it('describes every operation and its failures', async () => {
    const { paths } = JSON.parse(await renderOpenApi()) as { paths: Record<string, Record<string, Operation>> }
    const operations = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
    )
    expect(operations.length).toBeGreaterThan(30)
    expect(operations.filter(({ operation }) => operation.summary === undefined).map(({ name }) => name)).toEqual([])
    const silent = operations.filter(({ operation }) => operation.responses['4XX'] === undefined)
    expect(silent.map(({ name }) => name)).toEqual(['get /healthz'])
  })
})
