import { Type, type Static } from 'typebox'
import { ServiceName } from './names.js'

const strict = { additionalProperties: false } as const
const HttpPath = Type.String({ pattern: '^/[^\\s]*$', maxLength: 1024, description: 'absolute HTTP path' })

/** One port that a service listens on. Locally the number is assigned and told through `PORT`. */
export const PortSpec = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$', maxLength: 15 }),
    protocol: Type.Optional(
      Type.Union([Type.Literal('http'), Type.Literal('https'), Type.Literal('grpc'), Type.Literal('tcp')], {
        default: 'http',
      }),
    ),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  },
  strict,
)

/** A document of `service.yaml` with `kind: Service`. */
export const ServiceDefinition = Type.Object(
  {
    apiVersion: Type.Literal('tributary/v1'),
    kind: Type.Literal('Service'),
    name: ServiceName,
    ports: Type.Optional(Type.Array(PortSpec, { minItems: 1, maxItems: 16 })),
    dependsOn: Type.Optional(Type.Array(ServiceName, { uniqueItems: true, maxItems: 100 })),
    health: Type.Optional(
      Type.Object(
        { readiness: Type.Optional(HttpPath), liveness: Type.Optional(HttpPath), selfCheck: Type.Optional(HttpPath) },
        strict,
      ),
    ),
    run: Type.Optional(
      Type.Object(
        {
          image: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: '{version} is replaced' })),
          local: Type.Optional(
            Type.Object(
              {
                build: Type.Optional(
                  Type.String({
                    minLength: 1,
                    maxLength: 4096,
                    description: 'one command, split into words; no shell',
                  }),
                ),
                command: Type.String({
                  minLength: 1,
                  maxLength: 4096,
                  description: 'one command, split into words; no shell',
                }),
                env: Type.Optional(
                  Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), Type.String(), {
                    maxProperties: 100,
                  }),
                ),
              },
              strict,
            ),
          ),
        },
        strict,
      ),
    ),
    config: Type.Optional(
      Type.Object(
        {
          defaults: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
          schema: Type.Optional(Type.String({ description: 'path of a JSON schema, relative to this file' })),
        },
        strict,
      ),
    ),
    secrets: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({ pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$', maxLength: 63 }),
            generate: Type.Optional(Type.Object({ bytes: Type.Integer({ minimum: 8, maximum: 1024 }) }, strict)),
          },
          strict,
        ),
        { maxItems: 50 },
      ),
    ),
    expose: Type.Optional(Type.Object({ public: Type.Optional(Type.Boolean()) }, strict)),
    deploy: Type.Optional(
      Type.Object({ on: Type.Union([Type.Literal('push'), Type.Literal('image')], { default: 'push' }) }, strict),
    ),
    verify: Type.Optional(
      Type.Object(
        {
          http: Type.Optional(
            Type.Object(
              { path: HttpPath, expect: Type.Optional(Type.Integer({ minimum: 100, maximum: 599, default: 200 })) },
              strict,
            ),
          ),
        },
        strict,
      ),
    ),
    chart: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 512,
        description: 'the service’s own chart instead of the generated one',
      }),
    ),
    paths: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
        maxItems: 100,
        description: 'further folders or files of the repository whose change means that this service changed',
      }),
    ),
  },
  { $id: 'ServiceDefinition', additionalProperties: false },
)
export type ServiceDefinition = Static<typeof ServiceDefinition>

/** A document of `tributary.yaml` in a repository's root with `kind: Environment`: what a branch says about its environment. */
export const EnvironmentDefinition = Type.Object(
  {
    apiVersion: Type.Literal('tributary/v1'),
    kind: Type.Literal('Environment'),
    base: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'branch whose environment this one overlays; default: integration',
      }),
    ),
    services: Type.Optional(
      Type.Array(ServiceName, {
        uniqueItems: true,
        description: 'services of this repository to deploy although the branch does not change them',
      }),
    ),
    mask: Type.Optional(
      Type.Array(ServiceName, { uniqueItems: true, description: 'services hidden in this environment' }),
    ),
  },
  { $id: 'EnvironmentDefinition', additionalProperties: false },
)
export type EnvironmentDefinition = Static<typeof EnvironmentDefinition>
