import { expect, it } from 'vitest'
import { chartSourceOf } from './chart-source.js'

it.each([
  [undefined, { kind: 'generated' }],
  ['chart', { kind: 'folder', path: 'orders/chart' }],
  ['../charts/orders', { kind: 'folder', path: 'charts/orders' }],
  [
    'oci://registry.example:5000/team/orders:1.2.3+4',
    { kind: 'registry', chart: 'oci://registry.example:5000/team/orders', version: '1.2.3+4' },
  ],
  ['../../etc', undefined],
  ['/etc', undefined],
  ['oci://registry.example/orders', undefined],
  ['oci://user:password@registry.example/orders:1', undefined],
  ['https://registry.example/orders-1.tgz', undefined],
  ['file:///etc', undefined],
])('reads the chart %j', (chart, source) => {
  expect(chartSourceOf(chart, 'orders')).toEqual(source)
})
