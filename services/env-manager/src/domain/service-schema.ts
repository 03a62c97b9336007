import { EnvironmentDefinition, ServiceDefinition } from '@tributary/contract'
import type { TSchema } from 'typebox'

/** The published JSON schema of `service.yaml` and `tributary.yaml`, for editors: text of docs/reference/service.schema.json. */
export function renderServiceSchema(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Tributary service.yaml and tributary.yaml',
    oneOf: [{ $ref: '#/$defs/ServiceDefinition' }, { $ref: '#/$defs/EnvironmentDefinition' }],
    $defs: { ServiceDefinition: withoutId(ServiceDefinition), EnvironmentDefinition: withoutId(EnvironmentDefinition) },
  }
  return `${JSON.stringify(schema, undefined, 2)}\n`
}

/** An `$id` inside would change the base of references for other tools. */
function withoutId(schema: TSchema): object {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== '$id'))
}
