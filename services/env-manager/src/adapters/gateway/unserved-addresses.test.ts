import { describe, expect, it } from 'vitest'
import { findTarget } from './gateway-routing.js'
import { isUnserved, lookupServed } from './unserved-addresses.js'

const metadata = [
  '169.254.169.254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  'fe80::1%eth0',
  '[fe80::1]',
  'fd00:ec2::254',
]

describe('an endpoint that somebody registered', () => {
  it.each(metadata)('is not asked at %s, where a cloud gives credentials away', (host) => {
    expect(isUnserved(host)).toBe(true)
    const endpoint = { name: 'http', protocol: 'http', host, port: 80 } as const
    const directory = {
      resolve: () => ({ state: 'own', owner: 'feature-x', endpoint }) as const,
      listServices: () => [],
    }
    const address = { kind: 'service', environment: 'feature-x', service: 'orders', path: '/' } as const
    expect(() => findTarget(directory, address)).toThrow(/link-local/)
  })

  it.each(['127.0.0.1', '10.1.2.3', '::1', 'fd00::1', 'orders.feature-x.svc', '169.254.example.com'])(
    'is asked at %s',
    (host) => expect(isUnserved(host)).toBe(false),
  )

  it.each([true, false])('is not asked by a name that leads there either (all addresses: %s)', async (all) => {
    const outcome = (host: string) =>
      new Promise((resolve) => lookupServed(host, { all }, (error) => resolve(error?.code ?? 'found')))
    expect(await outcome('169.254.169.254')).toBe('ENOTFOUND')
    expect(await outcome('127.0.0.1')).toBe('found')
  })
})
