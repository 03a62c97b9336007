import { Type, type Static } from 'typebox'

const strict = { additionalProperties: false } as const
const kubeName = (description: string) =>
  Type.String({ pattern: '^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$', maxLength: 253, description })

/** `platform.kubernetes.routes` of `tributary.config.yaml`. */
export const KubernetesRoutesFile = Type.Object(
  {
    url: Type.Optional(
      Type.String({
        pattern: '^https?://\\{environment\\}\\.[a-z0-9][-a-z0-9.]*[a-z0-9](:[1-9][0-9]{0,4})?/?$',
        maxLength: 300,
        description:
          'how environments are reached from outside: https://{environment}.preview.example.com; default: http://{environment}.localhost:7480, for a port-forward to the gateway',
      }),
    ),
    gatewayService: Type.Optional(
      kubeName('Service of the gateway in the system namespace. Default: tributary-gateway'),
    ),
    gatewayServicePort: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, description: 'default: 80' })),
    kind: Type.Optional(
      Type.Enum(['ingress', 'gateway-api', 'none'], {
        description:
          'default: gateway-api where a gateway is named and the cluster has HTTPRoute, else ingress; none where no url is given, or where something that is not ours leads the whole domain to the gateway',
      }),
    ),
    ingressClass: Type.Optional(kubeName('of the Ingresses; default: the cluster’s')),
    tlsSecret: Type.Optional(
      kubeName(
        'Secret of the system namespace with the wildcard certificate, for Ingresses; default: the controller’s',
      ),
    ),
    annotations: Type.Optional(
      Type.Record(Type.String({ minLength: 1, maxLength: 317 }), Type.String({ maxLength: 4_096 }), {
        maxProperties: 20,
        description: 'on every route, for what a cluster’s own controllers read',
      }),
    ),
    gateway: Type.Optional(
      Type.Object(
        {
          name: kubeName('Gateway that the HTTPRoutes hang on'),
          namespace: Type.Optional(kubeName('its namespace; default: the system namespace')),
          sectionName: Type.Optional(kubeName('its listener; default: every one that fits')),
        },
        strict,
      ),
    ),
  },
  { ...strict, description: 'preview URLs' },
)

/** {@link KubernetesRoutesFile} with every default filled in. */
export interface KubernetesRoutesConfig {
  /** With `{environment}`. */
  readonly url: string
  readonly gatewayService: string
  readonly gatewayServicePort: number
  /** Undefined: by what the cluster has. */
  readonly kind?: 'ingress' | 'gateway-api' | 'none'
  readonly ingressClass?: string
  readonly tlsSecret?: string
  readonly annotations: Readonly<Record<string, string>>
  readonly gateway?: { readonly name: string; readonly namespace?: string; readonly sectionName?: string }
}

/** A port-forward to the gateway's Service makes these work in a browser. */
const FORWARDED_URL = 'http://{environment}.localhost:7480'

/** Fills in the defaults. */
export function routesWithDefaults(file: Static<typeof KubernetesRoutesFile> = {}): KubernetesRoutesConfig {
  return {
    ...(file.url === undefined ? { kind: 'none' as const } : {}),
    ...file,
    url: file.url ?? FORWARDED_URL,
    gatewayService: file.gatewayService ?? 'tributary-gateway',
    gatewayServicePort: file.gatewayServicePort ?? 80,
    annotations: file.annotations ?? {},
  }
}
