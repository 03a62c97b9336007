import { Type, type Static } from 'typebox'
import { ServiceName } from './names.js'

const strict = { additionalProperties: false } as const
const HttpPath = Type.String({ pattern: '^/[^\\s]*$', maxLength: 1024, description: 'absolute HTTP path' })

const Words = (description: string) =>
  Type.Array(Type.String({ maxLength: 4096 }), { minItems: 1, maxItems: 200, description })
const Variables = (description: string) =>
  Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), Type.String(), { maxProperties: 100, description })
const Quantities = Type.Object(
  {
    cpu: Type.Optional(
      Type.String({ pattern: '^([0-9]+m|[0-9]+([.][0-9]{1,3})?)$', description: 'such as 250m or "1"' }),
    ),
    memory: Type.Optional(Type.String({ pattern: '^[0-9]+([KMGT]i?)?$', description: 'such as 256Mi' })),
  },
  strict,
)

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
          image: Type.Optional(
            Type.String({
              pattern: '^[A-Za-z0-9][-\\w.:/@{}]*$',
              maxLength: 512,
              description: 'on Kubernetes; {version} is replaced',
            }),
          ),
          command: Type.Optional(Words('instead of the image’s ENTRYPOINT; a list of words, no shell')),
          args: Type.Optional(Words('instead of the image’s CMD; a list of words, no shell')),
          env: Type.Optional(Variables('on every platform; anybody who may read the repository reads them')),
          replicas: Type.Optional(
            Type.Integer({ minimum: 1, maximum: 20, default: 1, description: 'pods on Kubernetes' }),
          ),
          resources: Type.Optional(
            Type.Object(
              { requests: Type.Optional(Quantities), limits: Type.Optional(Quantities) },
              {
                ...strict,
                description: 'of each pod; default: 50m and 64Mi are requested, 512Mi of memory is the limit',
              },
            ),
          ),
          writable: Type.Optional(
            Type.Array(Type.String({ pattern: '^/[^\\s:]+$', maxLength: 512 }), {
              uniqueItems: true,
              maxItems: 20,
              description: 'folders besides /tmp that the program writes to on Kubernetes; empty at each start',
            }),
          ),
          user: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 2_147_483_647,
              default: 10_001,
              description: 'user id that the program runs as on Kubernetes; never root',
            }),
          ),
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
                env: Type.Optional(Variables('besides run.env')),
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
      Type.Object(
        {
          on: Type.Union([Type.Literal('push'), Type.Literal('image')], {
            default: 'push',
            description:
              'push: at once; on Kubernetes an image that is not there yet is waited for. image: when `tributary deploy` has named the image of the commit',
          }),
        },
        strict,
      ),
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
