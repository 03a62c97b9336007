import { expect, it } from 'vitest'
import { failuresOf, renderErrorReference } from './error-catalogue.js'

const CATALOGUE = {
  A_MISSING: { kind: 'not_found', description: 'There is no A.' },
  B_DOWN: { kind: 'unavailable', description: 'B does not answer.' },
} as const

it('makes errors whose kind is the catalogue’s', () => {
  const failure = failuresOf(CATALOGUE)
  const cause = new Error('refused')
  expect(failure('B_DOWN', 'could not reach B', { cause, details: { port: 1 } })).toMatchObject({
    kind: 'unavailable',
    code: 'B_DOWN',
    retryable: true,
    message: 'could not reach B',
    details: { port: 1 },
    cause,
  })
  expect(failure('A_MISSING', 'no A').retryable).toBe(false)
})

it('refuses a code that is not in the catalogue', () => {
  const failure = failuresOf<Record<string, { kind: 'internal'; description: string }>>({})
  expect(() => failure('C', 'x')).toThrow('C is not in the catalogue')
})

it('lists every code with its kind and meaning', () => {
  expect(renderErrorReference([['Part', CATALOGUE]])).toContain(
    '## Part\n\n| code | kind | meaning |\n| --- | --- | --- |\n| `A_MISSING` | not_found | There is no A. |\n| `B_DOWN` | unavailable | B does not answer. |\n',
  )
})
