import type { ServiceDefinition } from '@tributary/contract'
import { failure } from '../errors.js'
import { parseImageReference, type ImageReference } from './image-reference.js'

/** The copy of a service that a chart is given. */
export interface ChartSubject {
  readonly environment: string
  readonly service: string
  readonly version: string
  readonly commitSha: string
  readonly definition: ServiceDefinition
}

/** What the platform adds to what a service.yaml says. */
export interface ChartValueOptions {
  /** On every object and pod. */
  readonly labels: Readonly<Record<string, string>>
  readonly podAnnotations: Readonly<Record<string, string>>
  /** Secrets of the namespace whose keys become variables: names only, never values. */
  readonly secretNames: readonly string[]
  readonly imagePullSecrets: readonly string[]
  /** Default `IfNotPresent`. */
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never'
  /** Whether pods get the token by which the config center knows them. */
  readonly hasIdentity: boolean
  /** Laid over everything else: an object is merged, anything else replaces, `null` takes away. */
  readonly overrides?: Readonly<Record<string, unknown>>
}

/** Values of a chart. */
export type ChartValues = Readonly<Record<string, unknown>>

const DEFAULT_PORT = { name: 'http', protocol: 'http', port: 8080 } as const

/**
 * What the chart of a service gets. The generated one (`charts/service`) gets everything that a service.yaml says; a service's own gets the image, labels
 * and names in the places where `helm create` puts them, and the block `tributary`. Holds no secrets.
 * @throws AppError `PLATFORM_UNSUPPORTED` for a generated chart without an image.
 */
export function chartValuesOf(subject: ChartSubject, options: ChartValueOptions): ChartValues {
  const values = subject.definition.chart === undefined ? generated(subject, options) : own(subject, options)
  return merged(values, options.overrides ?? {})
}

function generated(subject: ChartSubject, options: ChartValueOptions): ChartValues {
  const { definition, service } = subject
  const { run = {}, health = {}, ports = [DEFAULT_PORT] } = definition
  const image = imageOf(subject)
  if (image === undefined) {
    const advice = 'add run.image, such as "registry.example/team/' + service + ':{version}"'
    throw failure('PLATFORM_UNSUPPORTED', `could not deploy ${service}: its service.yaml names no image; ${advice}`)
  }
  return {
    ...common(options),
    image: { ...image, pullPolicy: options.imagePullPolicy ?? 'IfNotPresent' },
    ports: ports.map(({ name, port, protocol = 'http' }) => ({ name, port, protocol })),
    health: { readiness: health.readiness ?? '', liveness: health.liveness ?? '' },
    replicaCount: run.replicas ?? 1,
    command: run.command ?? [],
    args: run.args ?? [],
    writablePaths: (run.writable ?? []).filter((path) => path !== '/tmp'),
    ...(run.resources === undefined ? {} : { resources: run.resources }),
    ...(run.user === undefined ? {} : { runAsUser: run.user, runAsGroup: run.user }),
    envFromSecrets: options.secretNames,
    identity: { enabled: options.hasIdentity },
    // The Service of the name is the platform's: it changes hands between an environment and its base.
    service: { create: false },
  }
}

function own(subject: ChartSubject, options: ChartValueOptions): ChartValues {
  const { environment, service, version, commitSha } = subject
  const image = imageOf(subject)
  return {
    ...common(options),
    ...(image === undefined ? {} : { image: { ...image, pullPolicy: options.imagePullPolicy ?? 'IfNotPresent' } }),
    tributary: {
      environment,
      service,
      version,
      commit: commitSha,
      envFrom: options.secretNames.map((name) => ({ secretRef: { name } })),
      identity: { enabled: options.hasIdentity, audience: 'tributary' },
    },
  }
}

function common({ labels, podAnnotations, imagePullSecrets }: ChartValueOptions): ChartValues {
  return { labels, podLabels: labels, podAnnotations, imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }
}

function imageOf({ definition, version }: ChartSubject): ImageReference | undefined {
  const template = definition.run?.image
  return template === undefined ? undefined : parseImageReference(template.replaceAll('{version}', version))
}

/** RFC 7396, but that `null` stays: Helm takes away a default of the chart by it. */
function merged(base: ChartValues, patch: ChartValues): ChartValues {
  const result: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(patch)) {
    const before = result[name]
    result[name] = isPlain(before) && isPlain(value) ? merged(before, value) : value
  }
  return result
}

function isPlain(value: unknown): value is ChartValues {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
