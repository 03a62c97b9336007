import { describe, expect, it } from 'vitest'
import { namedMessage } from './named-message.js'

describe('namedMessage', () => {
  it('puts the service before a message that does not name it', () => {
    expect(namedMessage('orders', 'no copy runs yet')).toBe('orders: no copy runs yet')
    expect(namedMessage('orders', 'could not read the chart charts/orders')).toBe(
      'orders: could not read the chart charts/orders',
    )
    expect(namedMessage('orders', '')).toBe('orders: ')
  })

  it.each([
    'orders in feature-x does not come up: its image is missing',
    'orders: fatal: no database',
    'orders/service.yaml:3: unknown field "prot"',
    'could not start orders: there is no program',
    'Could not deploy orders: its chart is of a registry …',
    'orders',
  ])('leaves a message alone that begins with it: %s', (message) => {
    expect(namedMessage('orders', message)).toBe(message)
  })

  it('takes no other service’s name for it', () => {
    expect(namedMessage('orders', 'orders-db does not answer')).toBe('orders: orders-db does not answer')
    expect(namedMessage('orders', 'could not start orders2')).toBe('orders: could not start orders2')
  })
})
