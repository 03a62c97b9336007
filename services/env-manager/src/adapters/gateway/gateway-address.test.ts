import { describe, expect, test } from 'vitest'
import { parseGatewayAddress } from './gateway-address.js'

const refused = expect.objectContaining({ code: 'GATEWAY_HOST_INVALID' })

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
    expect(parseGatewayAddress({ host, target }, 'localhost')).toEqual(expected)
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
    expect(() => parseGatewayAddress({ host, target: '/' }, 'localhost')).toThrow(refused)
  })

  test('serves one domain: not this machine’s names, not a name that merely ends like it', () => {
    const read = (host: string) => parseGatewayAddress({ host, target: '/' }, 'preview.example.com')
    expect(read('feature-x.preview.example.com:8443')).toEqual({ kind: 'environment', environment: 'feature-x' })
    expect(read('Preview.Example.com')).toEqual({ kind: 'root' })
    for (const host of ['localhost', '127.0.0.1', 'feature-x.localhost', 'a.xpreview.example.com', 'example.com']) {
      expect(() => read(host)).toThrow(refused)
    }
  })
})
