import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { renderServiceSchema } from './domain/service-schema.js'
import { ENV_MANAGER_ERRORS } from './errors.js'
import { renderOpenApi } from './render-openapi.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const sources = fileURLToPath(new URL('.', import.meta.url))
const reference = (name: string): string => readFileSync(join(root, 'docs/reference', name), 'utf8')

function sourceText(): string {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' })
  const read = files.filter(
    (file) => file.endsWith('.ts') && !/\.test(-support)?\.ts$/.test(file) && file !== 'errors.ts',
  )
  return read.map((file) => readFileSync(join(sources, file), 'utf8')).join('\n')
}

describe('the reference', () => {
  it('has the API description as the routes say it (npm run generate)', async () => {
    expect(reference('env-manager.openapi.json')).toBe(await renderOpenApi())
  })

  it('has the schema of service.yaml as the contract says it (npm run generate)', () => {
    expect(reference('service.schema.json')).toBe(renderServiceSchema())
  })
})

describe('the error catalogue', () => {
  const text = sourceText()

  it('has no code that nothing can answer with', () => {
    const unused = Object.keys(ENV_MANAGER_ERRORS).filter((code) => !text.includes(`'${code}'`))
    expect(unused).toEqual([])
  })

  it('has every code that the sources fail with', () => {
    const used = [...text.matchAll(/failure\(\s*'([A-Z_]+)'/g)].map(([, code]) => code ?? '')
    expect(used.length).toBeGreaterThan(20)
    expect(used.filter((code) => !(code in ENV_MANAGER_ERRORS))).toEqual([])
  })

  it('describes every code in a sentence', () => {
    for (const { description } of Object.values(ENV_MANAGER_ERRORS)) expect(description).toMatch(/^[A-Z].*\.$/)
  })
})
