import { describe, expect, it } from 'vitest'
import { parsePlatformConfig } from './platform-config.js'
import { formatProblem } from './problem.js'

const head = 'apiVersion: tributary/v1\nkind: Platform\n'
const repositories = 'repositories:\n  - { name: shop, url: https://git.example/shop.git }\n'
const problemsOf = (text: string): readonly string[] => {
  const parsed = parsePlatformConfig('p.yaml', text)
  return 'problems' in parsed ? parsed.problems.map(formatProblem) : []
}

describe('parsePlatformConfig', () => {
  it('fills in every default', () => {
    expect(parsePlatformConfig('p.yaml', head + repositories)).toEqual({
      config: {
        instance: 'tributary',
        repositories: [{ name: 'shop', url: 'https://git.example/shop.git', integrationBranch: 'main' }],
        branches: { include: ['**'], exclude: [] },
        platform: { kind: 'local' },
        pollSeconds: 30,
        resyncSeconds: 600,
        concurrency: 4,
        ttlHours: 336,
        sleepAfterHours: null,
        signIn: { publicUrl: null, idleMinutes: 480, maxHours: 24, oidc: null },
        healthTimeoutSeconds: 60,
        drainSeconds: 5,
        gateway: { port: 7480 },
        secrets: {},
      },
    })
  })

  it('takes what is said', () => {
    const text = `${head}${repositories}ttlHours: null\ninstance: lab\nbranches: { exclude: [wip/*] }\ngateway: { port: 0 }\nsecrets: { mail: { environmentVariable: MAIL } }\n`
    expect(parsePlatformConfig('p.yaml', text)).toMatchObject({
      config: {
        ttlHours: null,
        instance: 'lab',
        branches: { include: ['**'], exclude: ['wip/*'] },
        gateway: { port: 0 },
        secrets: { mail: 'MAIL' },
      },
    })
  })

  it('lists all problems at once with their places', () => {
    expect(problemsOf(`${head}repositories: [{ name: A, url: x }]\nconcurency: 3\nttlHours: soon\n`)).toEqual([
      'p.yaml:4:1: unknown field "concurency"; did you mean "concurrency"?',
      expect.stringMatching(/^p.yaml:3:24: repositories\[0\].name must be a DNS-1123 label/),
      'p.yaml:5:11: ttlHours must be a number or a null, but it is "soon"',
    ])
  })

  it('refuses a repository that is there twice, and passwords in URLs', () => {
    const twice = 'repositories:\n  - { name: a, url: x }\n  - { name: a, url: "https://me:pw@git.example/a" }\n'
    expect(problemsOf(head + twice)).toEqual([
      'p.yaml:5:13: repository "a" is here twice; rename one',
      'p.yaml:5:21: the URL holds a password; use a git credential helper or an SSH key',
    ])
    expect(problemsOf(`${head}repositories: [{ name: a, url: "ssh://git@git.example/a" }]\n`)).toEqual([])
  })

  it.each([
    ['nothing', ''],
    ['two documents', `${head}${repositories}---\n${head}${repositories}`],
    ['bad syntax', 'a: ['],
  ])('refuses %s', (_name, text) => {
    expect(problemsOf(text)).not.toEqual([])
  })
})
