import { describe, expect, it } from 'vitest'
import { formatProblem } from './problem.js'
import { parsePlatformConfig } from './platform-config.js'

const head = `apiVersion: tributary/v1
kind: Platform
repositories: [{ name: shop, url: 'https://git.example/shop.git' }]
`
const oidc = (more = '', issuer = 'https://id.example.org/realms/x') => `signIn:
  ${more}
  oidc:
    issuer: ${issuer}
    clientId: tributary
    clientSecret: { environmentVariable: OIDC_SECRET }
    roles: { claim: groups, values: { dev: developer }, otherwise: viewer }
`

function problemsOf(text: string): readonly string[] {
  const parsed = parsePlatformConfig('p.yaml', head + text)
  return 'problems' in parsed ? parsed.problems.map(formatProblem) : []
}

describe('signIn of the platform configuration', () => {
  it('fills in every default', () => {
    const parsed = parsePlatformConfig('p.yaml', head + oidc('publicUrl: https://tributary.example.org'))
    expect('config' in parsed && parsed.config.signIn).toEqual({
      publicUrl: 'https://tributary.example.org',
      idleMinutes: 480,
      maxHours: 24,
      oidc: {
        issuer: 'https://id.example.org/realms/x',
        clientId: 'tributary',
        clientSecretVariable: 'OIDC_SECRET',
        label: 'id.example.org',
        scopes: ['openid', 'profile', 'email'],
        roleMinutes: 60,
        roles: { claim: 'groups', values: { dev: 'developer' }, otherwise: 'viewer' },
      },
    })
  })

  it('needs the address that the provider sends people back to', () => {
    expect(problemsOf(oidc())).toEqual([
      expect.stringMatching(/^p\.yaml:\d+:\d+: signIn\.oidc needs signIn\.publicUrl/),
    ])
  })

  it.each(['http://id.example.org', 'http://127.0.0.1.evil.example'])(
    'takes no provider in the clear: %s',
    (issuer) => {
      expect(problemsOf(oidc('publicUrl: https://t.example', issuer))).toEqual([
        expect.stringContaining('the issuer is not https'),
      ])
    },
  )

  it('takes one in the clear on this machine', () => {
    expect(problemsOf(oidc('publicUrl: http://127.0.0.1:7401', 'http://127.0.0.1:9000'))).toEqual([])
  })

  it.each([
    ['publicUrl: https://t.example/path', '/signIn/publicUrl'],
    ['idleMinutes: 0', 'idleMinutes'],
    ['unknown: 1', 'unknown'],
  ])('refuses %s', (line) => {
    expect(problemsOf(`signIn:\n  ${line}\n`)).toHaveLength(1)
  })

  it('takes no role that there is not', () => {
    const text = oidc('publicUrl: https://t.example').replace('dev: developer', 'dev: owner')
    expect(problemsOf(text).join('\n')).toContain('values')
  })
})
