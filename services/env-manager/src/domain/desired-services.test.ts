import { describe, expect, it } from 'vitest'
import { changedServices } from './changed-services.js'
import { desiredServices, type RepositoryContent } from './desired-services.js'
import { parseEnvironmentFile } from './environment-definition.js'
import { joinServiceFiles, parseServiceFile } from './service-definition.js'

const head = 'apiVersion: tributary/v1\nkind: Service\n'
const environment = (more: string): string => `apiVersion: tributary/v1\nkind: Environment\n${more}`

interface Given {
  readonly repository?: string
  readonly files: Readonly<Record<string, string>>
  readonly changed?: readonly string[]
  readonly environment?: string
}

function content({ repository = 'shop', files, changed, environment: text }: Given): RepositoryContent {
  const catalog = joinServiceFiles(Object.entries(files).map(([file, yaml]) => parseServiceFile(file, yaml)))
  return {
    repository,
    commitSha: repository === 'shop' ? 'a'.repeat(40) : 'b'.repeat(40),
    catalog,
    environmentFile: parseEnvironmentFile(text),
    changed: changed === undefined ? 'all' : changedServices(catalog, changed),
  }
}

const files = { 'a/service.yaml': `${head}name: a\n`, 'b/service.yaml': `${head}name: b\n` }
const names = (given: readonly RepositoryContent[]): readonly string[] =>
  desiredServices(given, []).services.map(({ service }) => service)

describe('desiredServices', () => {
  it('takes all services for integration, and the changed and named ones for a branch', () => {
    expect(names([content({ files })])).toEqual(['a', 'b'])
    expect(names([content({ files, changed: ['a/x'] })])).toEqual(['a'])
    expect(names([content({ files, changed: ['a/x'], environment: environment('services: [b]\n') })])).toEqual([
      'a',
      'b',
    ])
  })

  it('lets the first repository have a name that two define, and says so of the second', () => {
    const second = content({ repository: 'stock', files: { 'service.yaml': `${head}name: a\n` } })
    const { services, invalid } = desiredServices([content({ files }), second], [])
    expect(services.map(({ service, repository }) => `${repository}/${service}`)).toEqual(['shop/a', 'shop/b'])
    expect(invalid).toEqual([
      {
        service: undefined,
        repository: 'stock',
        message: 'service.yaml:3: service "a" comes from repository shop already; rename one',
      },
    ])
  })

  it('joins masks, uses the first base, and tells contradictions', () => {
    const one = content({
      files,
      changed: ['a/x'],
      environment: environment('base: x\nmask: [a, m]\nservices: [c, bb]\n'),
    })
    const two = content({
      repository: 'stock',
      files: {},
      changed: [],
      environment: environment('base: y\nmask: [n]\n'),
    })
    const { masked, baseBranch, problems } = desiredServices([one, two], [])
    expect([masked, baseBranch]).toEqual([['m', 'n'], 'x'])
    expect(problems).toEqual([
      'the repositories name different bases (x, y); the first is used',
      'service "a" is masked, but the branch deploys it; it is deployed',
      expect.stringContaining(
        'names service "c" (did you mean "a"?), which no service.yaml defines in repository shop',
      ),
      expect.stringContaining('names service "bb" (did you mean "b"?)'),
    ])
  })

  it('keeps what a broken file had before, and knows it by its folder when it says no name', () => {
    const broken = content({
      files: { 'a/service.yaml': 'name: [', 'b/service.yaml': `${head}name: b\nfoo: 1\n` },
      changed: ['a/x', 'b/x'],
    })
    const recorded = [
      { service: 'a', repository: 'shop', directory: 'a' },
      { service: 'b', repository: 'shop', directory: 'b' },
      { service: 'old', repository: 'shop', directory: 'old' },
      { service: 'z', repository: 'gone', directory: '' },
    ]
    const { services, invalid, kept } = desiredServices([broken], recorded)
    expect([services, kept]).toEqual([[], ['a', 'b']])
    expect(invalid.map(({ service }) => service)).toEqual(['a', 'b'])
  })

  it('keeps masks, and services that tributary.yaml may have named, while that file cannot be read', () => {
    const unreadable = content({ files, changed: ['a/x'], environment: 'base: [' })
    const recorded = [{ service: 'b', repository: 'shop', directory: 'b' }]
    const { masked, kept, problems } = desiredServices([unreadable], recorded)
    expect([masked, kept]).toEqual(['unknown', ['b']])
    expect(problems[0]).toMatch(/^tributary.yaml:1:/)
  })
})
