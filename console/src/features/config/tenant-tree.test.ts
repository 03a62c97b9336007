import type { Tenant } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import { treeOf } from './tenant-tree.js'

const tenant = (name: string, ...above: string[]): Tenant => ({
  name,
  base: above[0] ?? null,
  stage: above.length === 0 ? 'integration' : 'development',
  labels: {},
  chain: [name, ...above],
  dependents: [],
  revision: '1',
})

describe('the tree of tenants', () => {
  const tenants = [
    tenant('b', 'integration'),
    tenant('b-2', 'b', 'integration'),
    tenant('integration'),
    tenant('a', 'integration'),
  ]
  const lines = (text: string): string[] => treeOf(tenants, text).map((line) => `${line.depth} ${line.tenant.name}`)

  it('puts each after the one that it overlays', () => {
    expect(lines('')).toEqual(['0 integration', '1 a', '1 b', '2 b-2'])
  })

  it('keeps what is above a match', () => {
    expect(lines('b-2')).toEqual(['0 integration', '1 b', '2 b-2'])
  })

  it('shows a tenant whose base may not be seen as a root', () => {
    expect(treeOf([tenant('x', 'hidden')], '').map(({ depth }) => depth)).toEqual([0])
  })
})
