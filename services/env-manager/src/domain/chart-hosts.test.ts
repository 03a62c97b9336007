import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chartHostsOf, hostProblem, NO_HOSTS } from './chart-hosts.js'

const hosts = chartHostsOf({
  environment: 'feature-x',
  url: 'https://{environment}.preview.example.com:8443/',
  allowed: ['shop-{environment}.example.com', 'partner.example.net', '{environment}.preview.example.org'],
  reservedUrls: ['https://Console.example.com:9443'],
})

describe('the hosts of an environment’s charts', () => {
  it('are its own, names below it, and what the operator allows', () => {
    expect(hosts).toEqual({
      own: 'feature-x.preview.example.com',
      allowed: ['shop-feature-x.example.com', 'partner.example.net', 'feature-x.preview.example.org'],
      reserved: ['console.example.com'],
    })
    for (const host of [
      'feature-x.preview.example.com',
      'admin.feature-x.preview.example.com',
      'a.b.feature-x.preview.example.com',
      'shop-feature-x.example.com',
      'partner.example.net',
    ])
      expect(hostProblem(host, hosts)).toBeUndefined()
  })

  it.each(['Feature-X.Preview.EXAMPLE.com', 'feature-x.preview.example.com.', 'ADMIN.FEATURE-X.PREVIEW.EXAMPLE.COM.'])(
    'are the same in capitals and with the dot of the root: %s',
    (host) => {
      expect(hostProblem(host, hosts)).toBeUndefined()
    },
  )

  it.each([
    ['another environment', 'feature-y.preview.example.com'],
    ['the shared environment', 'integration.preview.example.com'],
    ['the domain of all environments', 'preview.example.com'],
    ['a name that only ends alike', 'evilfeature-x.preview.example.com'],
    ['its name as part of another domain', 'feature-x.preview.example.com.evil.example'],
    ['a name below one that is allowed', 'x.partner.example.net'],
    ['an address', '10.0.0.1'],
    ['a port', 'feature-x.preview.example.com:8443'],
    ['a URL', 'https://feature-x.preview.example.com'],
    ['a user', 'x@feature-x.preview.example.com'],
    ['two dots at the end', 'feature-x.preview.example.com..'],
    ['an empty label', 'a..feature-x.preview.example.com'],
    ['a path', 'evil.example/.feature-x.preview.example.com'],
    ['white space', 'evil.example .feature-x.preview.example.com'],
    ['a line feed', 'evil.example\n.feature-x.preview.example.com'],
    ['a NUL', 'evil.example\0.feature-x.preview.example.com'],
    ['letters that look alike', 'feаture-x.preview.example.com'],
    ['letters of mathematics', 'feature-\u{1D4CD}.preview.example.com'],
    ['a full stop of another script', 'feature-x。preview。example。com'],
    ['punycode of something else', 'xn--feture-x-q4a.preview.example.com'],
    ['a label that is too long', `${'a'.repeat(64)}.feature-x.preview.example.com`],
  ])('are not %s', (_what, host) => {
    expect(hostProblem(host, hosts)).toContain('which is not this environment’s; it may claim feature-x.preview.')
  })

  it('are compared letter by letter also where a letter has a twin of another script', () => {
    const own = chartHostsOf({
      environment: 'kilo',
      url: 'https://{environment}.example.com',
      allowed: [],
      reservedUrls: [],
    })
    expect(hostProblem('kilo.example.com', own)).toBeUndefined()
    // The sign of Kelvin is "k" in small letters.
    expect(hostProblem('\u212Ailo.example.com', own)).toContain('is not this environment’s')
  })

  it.each(['*', '*.preview.example.com', '*.feature-x.preview.example.com', 'feature-*.preview.example.com'])(
    'are not the many of %s',
    (host) => {
      expect(hostProblem(host, hosts)).toContain('and with them those of others')
    },
  )

  it.each([undefined, null, '', 7, ['feature-x.preview.example.com'], {}])(
    'are not all of them by naming %j',
    (host) => {
      expect(hostProblem(host, hosts)).toContain('claims every host: it names none')
    },
  )

  it('are never where people sign in, whatever allows it', () => {
    const careless = { ...hosts, own: 'example.com', allowed: ['console.example.com'] }
    for (const host of ['console.example.com', 'CONSOLE.example.com.'])
      expect(hostProblem(host, careless)).toBe(`claims "${host}", where people sign in to Tributary`)
  })

  it('are none unless something says so', () => {
    expect(hostProblem('a.example.com', NO_HOSTS)).toBe(
      'claims the host "a.example.com", which is not this environment’s; it may claim none; an operator can allow more with platform.kubernetes.charts.hosts',
    )
  })

  it('are not those of any other environment of the same address', () => {
    const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?$/)
    const of = (environment: string) =>
      chartHostsOf({ environment, url: 'https://{environment}.preview.example.com', allowed: [], reservedUrls: [] })
    fc.assert(
      fc.property(label, label, label, (one, other, below) => {
        fc.pre(one !== other)
        const { own = '' } = of(other)
        expect(hostProblem(own, of(other))).toBeUndefined()
        expect(hostProblem(`${below}.${own}`, of(other))).toBeUndefined()
        expect(hostProblem(own, of(one))).toBeDefined()
        expect(hostProblem(`${below}.${own}`, of(one))).toBeDefined()
      }),
    )
  })
})
