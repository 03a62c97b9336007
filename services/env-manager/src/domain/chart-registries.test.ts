import { describe, expect, it } from 'vitest'
import { isFromRegistries } from './chart-registries.js'

describe('isFromRegistries', () => {
  it.each([
    ['registry.example', 'oci://registry.example/charts/orders'],
    ['registry.example', 'oci://registry.example:443/orders'],
    ['registry.example:443', 'oci://registry.example/orders'],
    ['registry.example:5000', 'oci://registry.example:5000/orders'],
    ['registry.example/team', 'oci://registry.example/team/orders'],
    ['registry.example/team/orders', 'oci://registry.example/team/orders'],
    ['Registry.Example', 'oci://registry.example/orders'],
  ])('takes from %s the chart %s', (registry, chart) => {
    expect(isFromRegistries(chart, [registry])).toBe(true)
    expect(isFromRegistries(chart, ['other.example', registry])).toBe(true)
  })

  it.each([
    ['registry.example', 'oci://evil.example/registry.example/orders'],
    ['registry.example', 'oci://registry.example.evil.example/orders'],
    ['registry.example', 'oci://evil-registry.example/orders'],
    ['registry.example', 'oci://registry.example:5000/orders'],
    ['registry.example:5000', 'oci://registry.example/orders'],
    ['registry.example:5000', 'oci://registry.example:50000/orders'],
    ['registry.example/team', 'oci://registry.example/team-b/orders'],
    ['registry.example/team', 'oci://registry.example/orders'],
    ['registry.example/team', 'oci://registry.example/x/team/orders'],
  ])('does not take from %s the chart %s', (registry, chart) => {
    expect(isFromRegistries(chart, [registry])).toBe(false)
  })

  it('takes none where none is named', () => {
    expect(isFromRegistries('oci://registry.example/orders', [])).toBe(false)
  })
})
