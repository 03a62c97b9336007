import { stringify } from 'yaml'
import { repositoryNameOf, type Answers } from './answers.js'

const flow = { lineWidth: 120, collectionStyle: 'any' } as const

/** `service.yaml` as a person would begin it. What is commented out is what most services add next. */
export function renderServiceFile(answers: Answers): string {
  const { service, port, command, readiness, dependsOn, hasImage } = answers
  const definition = {
    apiVersion: 'tributary/v1',
    kind: 'Service',
    name: service,
    ports: [{ name: 'http', protocol: 'http', port }],
    ...(dependsOn.length === 0 ? {} : { dependsOn: [...dependsOn] }),
    ...(readiness === '' ? {} : { health: { readiness } }),
    run: { ...(hasImage ? { image: `registry.example/${service}:{version}` } : {}), local: { command } },
  }
  return `# What Tributary has to know of this service: docs/reference/service.schema.json says everything that can stand here.
${stringify(definition, flow)}# config: { defaults: { pageSize: 20 }, schema: config.schema.json }
# secrets: [{ name: session-key, generate: { bytes: 32 } }]
# verify: { http: { path: /healthz, expect: 200 } }
`
}

/** `tributary.config.yaml` with one repository. */
export function renderPlatformFile({ repository, integrationBranch }: Answers): string {
  const platform = {
    apiVersion: 'tributary/v1',
    kind: 'Platform',
    repositories: [{ name: repositoryNameOf(repository), url: repository, integrationBranch }],
  }
  return `# Which repositories get an environment for each of their branches. Start everything with: tributary up
${stringify(platform, flow)}`
}
