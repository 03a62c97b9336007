import { describe, expect, it } from 'vitest'
import { parseEnvironmentFile } from './environment-definition.js'

const head = 'apiVersion: tributary/v1\nkind: Environment\n'

describe('parseEnvironmentFile', () => {
  it('is absent without a file, and with an empty one', () => {
    expect(parseEnvironmentFile(undefined)).toEqual({ state: 'absent' })
    expect(parseEnvironmentFile('# later\n')).toEqual({ state: 'absent' })
  })

  it('reads base, services and masks', () => {
    const file = parseEnvironmentFile(`${head}base: feature/a\nservices: [b]\nmask: [c]\n`)
    expect(file).toMatchObject({ state: 'valid', definition: { base: 'feature/a', services: ['b'], mask: ['c'] } })
  })

  it.each([
    ['unknown fields', `${head}bases: x\n`, 3],
    ['two documents', `${head}---\n${head}`, 4],
    ['bad syntax', `${head}base: [\n`, 4],
  ])('is invalid with %s, and says where', (_name, text, line) => {
    const file = parseEnvironmentFile(text)
    expect(file).toMatchObject({ state: 'invalid', problems: [{ file: 'tributary.yaml', line }] })
  })
})
