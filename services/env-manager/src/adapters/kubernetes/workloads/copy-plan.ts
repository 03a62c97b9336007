import { createHash } from 'node:crypto'
import type { Endpoint } from '@tributary/contract'
import type { WorkloadSpec } from '../../../ports/platform.js'
import { RESOURCES, type KubeSecret } from '../api/kube-objects.js'
import { ANNOTATIONS, copySecretName, labelsOf, LABELS, releaseNameOf } from '../names.js'
import type { PlannedObject, SpaceIdentity } from '../space/space-objects.js'

/** A declared port, with its protocol filled in. */
export type Port = Pick<Endpoint, 'name' | 'protocol' | 'port'>

/** What a spec means on this platform, before anything is made. Holds secrets. */
export interface CopyPlan {
  readonly workloadId: string
  readonly release: string
  readonly secretName: string
  readonly ports: readonly Port[]
  readonly variables: Readonly<Record<string, string>>
  /** For the pod template: by these a workload is found again. */
  readonly podAnnotations: Readonly<Record<string, string>>
  /** For every object of the chart and the pod template. */
  readonly labels: Readonly<Record<string, string>>
}

/** What besides the spec decides how a copy runs. */
export interface CopySurroundings {
  readonly instance: string
  /** Chart and values: other ones are another copy. */
  readonly rendering: unknown
  /** Pods prove themselves with a token of their own: they get none by a variable. */
  readonly hasIdentity: boolean
}

const DEFAULT_PORT: Port = { name: 'http', protocol: 'http', port: 8080 }

/**
 * Pure. The id is the same for the same environment, generation, service, commit, definition, variables, secrets and rendering: anything else is
 * another copy, which replaces the first one in place.
 */
export function planCopy(spec: WorkloadSpec, { instance, rendering, hasIdentity }: CopySurroundings): CopyPlan {
  const { environment, generation, service, commitSha, version } = spec
  const ports = portsOf(spec)
  const { TRIBUTARY_TOKEN: token, ...others } = variablesOf(spec, ports)
  const variables = hasIdentity || token === undefined ? others : { ...others, TRIBUTARY_TOKEN: token }
  const fingerprint = fingerprintOf([sorted(variables), spec.definition, rendering])
  const workloadId = [environment, generation, service, commitSha.slice(0, 12), fingerprint].join('.')
  return {
    workloadId,
    release: releaseNameOf(service),
    secretName: copySecretName(service, fingerprint),
    ports,
    variables,
    podAnnotations: {
      [ANNOTATIONS.workloadId]: workloadId,
      [ANNOTATIONS.commit]: commitSha,
      [ANNOTATIONS.version]: version,
      [ANNOTATIONS.generation]: String(generation),
      [ANNOTATIONS.ports]: ports.map(({ name, protocol, port }) => `${name}:${protocol}:${port}`).join(','),
    },
    labels: {
      [LABELS.instance]: instance,
      [LABELS.environment]: environment,
      [LABELS.service]: service,
    },
  }
}

/** The Secret that a copy's pods take their environment from. */
export function copySecret(
  spec: WorkloadSpec,
  plan: CopyPlan,
  { instance, environment, namespace }: SpaceIdentity,
): PlannedObject {
  const { service } = spec
  const data = Object.fromEntries(
    Object.entries(plan.variables).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  )
  const object: KubeSecret = {
    metadata: {
      name: plan.secretName,
      namespace,
      labels: labelsOf({ instance, environment }, { service, purpose: 'copy' }),
      annotations: { [ANNOTATIONS.workloadId]: plan.workloadId },
    },
    type: 'Opaque',
    data,
  }
  return { resource: RESOURCES.secret, object }
}

/** Reads {@link ANNOTATIONS.ports} back. */
export function parsePorts(text: string): readonly Port[] {
  return text.split(',').flatMap((one) => {
    const [name = '', protocol, port] = one.split(':')
    const known = PROTOCOLS.find((candidate) => candidate === protocol)
    return known === undefined ? [] : [{ name, protocol: known, port: Number(port) }]
  })
}

/** Where a service's own Service answers, for every program of the cluster. */
export function endpointsOf(
  {
    service,
    namespace,
    clusterDomain,
  }: { readonly service: string; readonly namespace: string; readonly clusterDomain: string },
  ports: readonly Port[],
): readonly Endpoint[] {
  return ports.map((port) => ({ ...port, host: `${service}.${namespace}.svc.${clusterDomain}` }))
}

const PROTOCOLS = ['http', 'https', 'grpc', 'tcp'] as const

function portsOf({ definition }: WorkloadSpec): readonly Port[] {
  return definition.ports?.map(({ name, protocol = 'http', port }) => ({ name, protocol, port })) ?? [DEFAULT_PORT]
}

/** The spec's variables and secrets, then `PORT` (the first port), `PORT_<NAME>` (each) and `HOST`: nothing can take a copy's port away. */
function variablesOf(spec: WorkloadSpec, ports: readonly Port[]): Readonly<Record<string, string>> {
  const secrets = Object.entries(spec.secrets).map(([name, value]) => [`TRIBUTARY_SECRET_${variableName(name)}`, value])
  const each = ports.map(({ name, port }) => [`PORT_${variableName(name)}`, String(port)])
  const [first = DEFAULT_PORT] = ports
  return {
    ...spec.environmentVariables,
    ...Object.fromEntries(secrets),
    ...Object.fromEntries(each),
    PORT: String(first.port),
    HOST: '0.0.0.0',
  }
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')
}

function sorted(record: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(record).sort(([left], [right]) => (left < right ? -1 : 1))
}

function fingerprintOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 10)
}
