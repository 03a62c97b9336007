import { describe, expect, it } from 'vitest'
import { formatProblem } from './problem.js'
import { describeBroken, joinServiceFiles, parseServiceFile } from './service-definition.js'

const head = 'apiVersion: tributary/v1\nkind: Service\n'
const full = `${head}name: orders
ports: [{ name: http, protocol: http, port: 8080 }]
dependsOn: [inventory, payments]
health: { readiness: /readyz, liveness: /healthz, selfCheck: /selfcheck }
run: { image: "registry.example/orders:{version}", local: { build: "npm ci", command: "node server.js" } }
config: { defaults: { pageSize: 20 }, schema: config.schema.json }
secrets: [{ name: session-key, generate: { bytes: 32 } }]
expose: { public: true }
deploy: { on: push }
verify: { http: { path: /healthz, expect: 200 } }
chart: ../charts/orders
paths: [shared/lib]
`
const problemsOf = (text: string, file = 'a/service.yaml'): readonly string[] =>
  parseServiceFile(file, text).broken.flatMap(({ problems }) => problems.map(formatProblem))

describe('parseServiceFile', () => {
  it('reads the whole of a definition', () => {
    const { services, broken } = parseServiceFile('a/service.yaml', full)
    expect(broken).toEqual([])
    expect(services).toMatchObject([
      { directory: 'a', schemaPath: 'a/config.schema.json', definition: { name: 'orders' } },
    ])
  })

  it('reads several services of a file and keeps the good ones when one is bad', () => {
    const { services, broken } = parseServiceFile('service.yaml', `${head}name: a\n---\n${head}name: b\nport: 1\n`)
    expect(services.map(({ definition }) => definition.name)).toEqual(['a'])
    expect(broken.map(({ service }) => service)).toEqual(['b'])
  })

  it.each([
    [
      'an unknown field near a known one',
      `${head}name: a\ndependson: [b]\n`,
      '4:1: unknown field "dependson"; did you mean "dependsOn"?',
    ],
    [
      'an unknown field near none',
      `${head}name: a\nzzzzzz: 1\n`,
      /4:1: unknown field "zzzzzz"; allowed are: apiVersion, kind, name/,
    ],
    [
      'an unknown field further in',
      `${head}name: a\nhealth: { readyness: / }\n`,
      '4:11: unknown field "readyness" in health; did you mean "readiness"?',
    ],
    ['a missing field', head, '1:1: the document lacks "name"; add it'],
    [
      'a wrong type',
      `${head}name: a\nports: [{ name: http, port: "8080" }]\n`,
      '4:29: ports[0].port must be an integer, but it is the string "8080"',
    ],
    ['a list instead of a mapping', `${head}name: a\nhealth: []\n`, '4:9: health must be an object, but it is a list'],
    ['nothing instead of a value', `${head}name: a\nhealth:\n`, '4:8: health must be an object, but it is empty'],
    [
      'a wrong choice',
      `${head}name: a\ndeploy: { on: merge }\n`,
      '4:15: deploy.on must be "push" or "image", but it is "merge"',
    ],
    [
      'another kind',
      'apiVersion: tributary/v1\nkind: Servicee\nname: a\n',
      '2:7: kind must be "Service", but it is "Servicee"',
    ],
    [
      'a name that is none',
      `${head}name: My_Service\n`,
      '3:7: name must be a DNS-1123 label, at most 63 characters, but it is "My_Service"',
    ],
    [
      'a pattern without a description',
      `${head}name: a\nports: [{ name: HTTP, port: 1 }]\n`,
      /4:17: ports\[0\].name must be text like/,
    ],
    ['a port that is none', `${head}name: a\nports: [{ name: http, port: 0 }]\n`, /4:29: ports\[0\].port must be >= 1/],
    [
      'a kind Environment',
      'apiVersion: tributary/v1\nkind: Environment\n',
      /2:7: kind Environment belongs into tributary.yaml/,
    ],
    [
      'a path out of the repository',
      `${head}name: a\npaths: [../../etc]\n`,
      '4:9: "../../etc" leaves the repository; name a path inside it',
    ],
    ['an absolute path', `${head}name: a\npaths: [/etc]\n`, /4:9: "\/etc" leaves the repository/],
    [
      'a schema out of the repository',
      `${head}name: a\nconfig: { schema: ../../x.json }\n`,
      /4:19: "..\/..\/x.json" leaves the repository/,
    ],
    ['a chart out of the repository', `${head}name: a\nchart: ../../x\n`, /4:8: "..\/..\/x" leaves the repository/],
    [
      'a number that JSON has not',
      `${head}name: a\nconfig: { defaults: { a: [.nan] } }\n`,
      /4:21: config.defaults holds a number that JSON has not/,
    ],
    [
      'a key that would change what objects inherit',
      `${head}name: a\nconfig: { defaults: { a: [{ __proto__: { b: 1 } }] } }\n`,
      /4:29: a config document cannot have the key "__proto__" here; rename it/,
    ],
    [
      'a key that would change what all objects inherit',
      `${head}name: a\nconfig: { defaults: { constructor: { prototype: 1 } } }\n`,
      /4:23: a config document cannot have the key "constructor" here; rename it/,
    ],
    [
      'a dependency on itself',
      `${head}name: a\ndependsOn: [b, a]\n`,
      '4:16: a service does not depend on itself; remove it',
    ],
    ['an empty file', '# nothing\n', /1:1: the file is empty/],
    ['a syntax error', `${head}name: [\n`, /a\/service.yaml:\d+:\d+: /],
  ])('says file, line, column and what to do about %s', (_name, text, expected) => {
    const problems = problemsOf(text)
    const matches = (problem: string): boolean =>
      typeof expected === 'string' ? problem === `a/service.yaml:${expected}` : expected.test(problem)
    expect(problems.filter(matches), problems.join('\n')).toHaveLength(1)
  })

  it('reports every problem at once', () => {
    expect(problemsOf(`${head}name: a\nfoo: 1\nhealth: 3\nports: []\n`)).toHaveLength(3)
  })

  it('takes charts of registries with their version', () => {
    expect(problemsOf(`${head}name: a\nchart: "oci://registry.example:5000/charts/a:1.2.3"\n`)).toEqual([])
  })

  it.each(['oci://registry.example/charts/a', 'https://registry.example/a-1.2.3.tgz', 'oci://-x/a:1'])(
    'refuses %s, which is no chart of a registry with a version',
    (chart) => {
      expect(problemsOf(`${head}name: a\nchart: "${chart}"\n`)).toMatchObject([
        expect.stringContaining('is not a chart; write oci://registry/path:version'),
      ])
    },
  )
})

describe('joinServiceFiles', () => {
  it('refuses the second definition of a name, and says where the first is', () => {
    const files = ['b/service.yaml', 'a/service.yaml'].map((file) => parseServiceFile(file, `${head}name: x\n`))
    const { services, broken } = joinServiceFiles(files)
    expect(services.map(({ file }) => file)).toEqual(['a/service.yaml'])
    expect(broken.map(describeBroken)).toEqual([
      'b/service.yaml:3:7: service "x" is defined already at a/service.yaml:3; rename one',
    ])
  })
})
