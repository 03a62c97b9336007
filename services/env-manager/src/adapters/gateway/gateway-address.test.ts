import { describe, expect, test } from 'vitest'
import { parseGatewayAddress } from './gateway-address.js'

describe('parseGatewayAddress', () => {
  test.each([
    [
      'feature-x.localhost:8080',
      '/orders/a/b?c=d',
      { kind: 'service', environment: 'feature-x', service: 'orders', path: '/a/b?c=d' },
    ],
    ['Feature-X.LOCALHOST', '/orders/', { kind: 'service', environment: 'feature-x', service: 'orders', path: '/' }],
    ['feature-x.localhost', '/orders', { kind: 'service', environment: 'feature-x', service: 'orders', path: '' }],
    [
      'feature-x.localhost',
      '/orders?q=/x',
      { kind: 'service', environment: 'feature-x', service: 'orders', path: '?q=/x' },
    ],
    [
      'feature-x.localhost',
      '/orders//a/%2e%2e/b',
      { kind: 'service', environment: 'feature-x', service: 'orders', path: '//a/%2e%2e/b' },
    ],
    ['feature-x.localhost', '/', { kind: 'environment', environment: 'feature-x' }],
    ['feature-x.localhost', '/?a', { kind: 'environment', environment: 'feature-x' }],
    ['localhost:8080', '/orders/', { kind: 'root' }],
    ['127.0.0.1:8080', '/', { kind: 'root' }],
    ['[::1]:8080', '/', { kind: 'root' }],
  ])('reads %j %j', (host, target, expected) => {
    expect(parseGatewayAddress(host, target)).toEqual(expected)
  })

  test.each([
    undefined,
    '',
    'evil.example',
    'feature-x.localhost.evil.example',
    'evil.example:80@localhost',
    'a.b.localhost',
    '-a.localhost',
    'a-.localhost',
    'a_b.localhost',
    '.localhost',
    '<script>.localhost',
    'ünï.localhost',
    'feature-x.localhost:999999',
    'feature-x.localhost:80:80',
    'feature-x.localhost/..',
    `${'a'.repeat(64)}.localhost`,
    '10.0.0.1',
  ])('refuses the host %j', (host) => {
    expect(() => parseGatewayAddress(host, '/')).toThrow(expect.objectContaining({ code: 'GATEWAY_HOST_INVALID' }))
  })
})
