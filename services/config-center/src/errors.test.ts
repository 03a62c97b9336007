import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ERRORS, failure } from './errors.js'

const SOURCES = fileURLToPath(new URL('.', import.meta.url))

async function sources(): Promise<{ file: string; text: string }[]> {
  const files = await readdir(SOURCES, { recursive: true })
  const own = files.filter((file) => /(?<!\.test|\.test-support)\.ts$/.test(file) && file !== 'errors.ts')
  return Promise.all(own.map(async (file) => ({ file, text: await readFile(join(SOURCES, file), 'utf8') })))
}

describe('the error catalogue', () => {
  it('has exactly the codes that the sources throw', async () => {
    const thrown = (await sources()).flatMap(({ text }) =>
      [...text.matchAll(/\bfailure\(\s*'([A-Z_]+)'/g)].map(([, code]) => code),
    )
    expect([...new Set(thrown)].sort()).toEqual(Object.keys(ERRORS).sort())
  })

  it('is the only maker of errors of its own codes', async () => {
    const codes = (await sources()).flatMap(({ file, text }) =>
      [...text.matchAll(/\bcode: '([A-Z_]+)'/g)].map(([, code]) => `${file} ${code ?? ''}`),
    )
    expect(codes.filter((found) => !/ STORE_[A-Z_]+$/.test(found))).toEqual([])
  })

  it('describes every code in a sentence', () => {
    for (const { description } of Object.values(ERRORS)) expect(description).toMatch(/^[A-Z].*\.$/)
  })

  it('makes errors of the kind that a code has', () => {
    const error = failure('REVISION_CONFLICT', 'No.', { details: { current: null } })
    expect(error).toMatchObject({
      kind: 'conflict',
      code: 'REVISION_CONFLICT',
      retryable: false,
      details: { current: null },
    })
    expect(failure('WRITE_CONTENTION', 'No.').retryable).toBe(true)
  })
})
