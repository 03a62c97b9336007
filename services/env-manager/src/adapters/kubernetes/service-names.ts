import { isIP } from 'node:net'
import { servicePortsOf } from '../../domain/service-ports.js'
import type { PlatformContext, ServiceName } from '../../ports/platform.js'
import { forgetAddresses } from './addresses/forget-addresses.js'
import { RESOURCES, type KubeObject, type KubeService } from './api/kube-objects.js'
import type { KubernetesParts } from './kubernetes-parts.js'
import { ANNOTATIONS, LABELS, labelsOf, selectorOf } from './names.js'
import { findOwnNamespace } from './own-namespace.js'
import { applyRecorded } from './space/ensure-space.js'
import type { PlannedObject, SpaceIdentity } from './space/space-objects.js'

/**
 * Makes exactly these names answer in the environment's namespace: one object for each is applied, others of ours go. A Service that is not ours (of a
 * service's own chart) is left alone. Nothing happens when there is no namespace, or it is going.
 */
export async function applyServiceNames(
  parts: KubernetesParts,
  { environment, names }: { readonly environment: string; readonly names: readonly ServiceName[] },
  context: PlatformContext,
): Promise<void> {
  const { signal } = context
  const namespace = await findOwnNamespace(parts, environment, signal)
  if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return
  const identity = { instance: parts.instance, environment, namespace: namespace.metadata.name }
  const { items } = await parts.api.list<KubeService>(RESOURCES.service, { namespace: identity.namespace }, signal)
  const applied = await applyNames(parts, { identity, names, present: items }, context)
  for (const service of items.filter((one) => isName(one) && !applied.has(one.metadata.name)))
    await removeName(parts, { environment, service: service.metadata.name }, signal)
}

/** As {@link applyServiceNames}, but names that are not given stay as they are. */
export async function leadNames(
  parts: KubernetesParts,
  { environment, names }: { readonly environment: string; readonly names: readonly ServiceName[] },
  context: PlatformContext,
): Promise<void> {
  const identity = { instance: parts.instance, environment, namespace: parts.spaces.namespaceOf(environment) }
  const where = { namespace: identity.namespace }
  const { items } = await parts.api.list<KubeService>(RESOURCES.service, where, context.signal)
  await applyNames(parts, { identity, names, present: items }, context)
}

/** Answers the names that stand now; one that somebody else's Service has is left alone. */
async function applyNames(
  parts: KubernetesParts,
  given: {
    readonly identity: SpaceIdentity
    readonly names: readonly ServiceName[]
    readonly present: readonly KubeService[]
  },
  context: PlatformContext,
): Promise<ReadonlySet<string>> {
  const foreign = new Set(given.present.filter((service) => !isName(service)).map(({ metadata }) => metadata.name))
  const planned = given.names.flatMap((name) => {
    if (!foreign.has(name.service)) return nameObjects(given.identity, name)
    if (name.state === 'inherited')
      context.log(`the name ${name.service} is taken by a Service that Tributary did not make: it is left alone`)
    return []
  })
  const present = new Map(given.present.map((service) => [service.metadata.name, service]))
  for (const one of planned) {
    const before = present.get(one.object.metadata.name)
    if (!isSame(before, one.object)) await applyName(parts, { one, before }, context)
  }
  return new Set(planned.map(({ object }) => object.metadata.name))
}

/**
 * Addresses of before are forgotten in the one state in which nobody writes them anew: while the Service selects no pods. What a crash leaves, at any line, the next
 * call makes good:
 *
 * | turned | writes | a crash in between leaves |
 * | --- | --- | --- |
 * | to a name | Service, forget | addresses that nobody uses: every turn from a name forgets first |
 * | to pods, or from a name to an address | forget, Service | the turn to do |
 * | from pods to an address | Service with a mark, forget, Service without it | the mark: nodes use every address that they find until it is heeded |
 */
async function applyName(
  parts: KubernetesParts,
  { one, before }: { readonly one: PlannedObject; readonly before: KubeService | undefined },
  context: PlatformContext,
): Promise<void> {
  const { name: service, namespace = '' } = one.object.metadata
  const forget = (): Promise<void> => forgetAddresses(parts, { namespace, service }, context)
  const to = leadOf(one.object)
  const from = to === undefined ? undefined : leadOf(before)
  const isTurned = from !== undefined && from !== to
  if (from === 'pods' && to === 'address') await applyRecorded(parts, marked(one), context)
  if (to !== 'name' && from !== undefined && (isTurned || isMarked(before))) await forget()
  await applyRecorded(parts, one, context)
  if (to === 'name' && isTurned) await forget()
}

/** Applied without the mark, the object loses it. */
function marked({ resource, object }: PlannedObject): PlannedObject {
  const annotations = { ...object.metadata.annotations, [ANNOTATIONS.forgetAddresses]: 'true' }
  return { resource, object: { ...object, metadata: { ...object.metadata, annotations } } }
}

function isMarked(service: KubeService | undefined): boolean {
  return service?.metadata.annotations?.[ANNOTATIONS.forgetAddresses] !== undefined
}

/** What a Service leads to. Undefined: it is none. */
function leadOf(object: KubeObject | KubeService | undefined): 'pods' | 'name' | 'address' | undefined {
  const spec = object !== undefined && 'spec' in object ? object.spec : undefined
  if (spec === undefined) return undefined
  if (Object.keys(spec.selector ?? {}).length > 0) return 'pods'
  return spec.type === 'ExternalName' ? 'name' : 'address'
}

/** Removes the Service of a name, if it is ours. */
export async function removeName(
  { api, instance, spaces }: KubernetesParts,
  { environment, service }: { readonly environment: string; readonly service: string },
  signal: AbortSignal,
): Promise<void> {
  const labelSelector = selectorOf(labelsOf({ instance, environment }, { service, purpose: 'name' }))
  const namespace = spaces.namespaceOf(environment)
  const { items } = await api.list<KubeService>(RESOURCES.service, { namespace, labelSelector }, signal)
  for (const { metadata } of items) await api.delete(RESOURCES.service, { namespace, name: metadata.name }, { signal })
}

/**
 * What makes a name answer. Pure.
 *
 * | state | owner's address | objects |
 * | --- | --- | --- |
 * | own | | Service that selects the own pods: every declared port, and port 80 for the first HTTP one when it is free |
 * | inherited | a host name | ExternalName: ports, TLS and headless targets pass unchanged |
 * | inherited | an IP (a program on somebody's machine) | Service without a selector, and Endpoints |
 * | no endpoint | | none |
 */
export function nameObjects(
  identity: SpaceIdentity,
  { service, state, endpoints }: ServiceName,
): readonly PlannedObject[] {
  const [first] = endpoints
  if (first === undefined) return []
  const labels = labelsOf(identity, { service, purpose: 'name' })
  const metadata = { name: service, namespace: identity.namespace, labels }
  const planned = (spec: NonNullable<KubeService['spec']>): PlannedObject => {
    const object: KubeService = { metadata, spec }
    return { resource: RESOURCES.service, object }
  }
  if (state === 'own') {
    const selector = { [LABELS.environment]: identity.environment, [LABELS.service]: service }
    return [planned({ type: 'ClusterIP', selector, ports: servicePortsOf(endpoints) })]
  }
  if (isIP(first.host) === 0) return [planned({ type: 'ExternalName', externalName: first.host })]
  const here = endpoints.filter(({ host }) => host === first.host)
  const subsets = [
    {
      addresses: [{ ip: first.host }],
      ports: servicePortsOf(here).map(({ name, targetPort }) => ({ name, port: targetPort, protocol: 'TCP' })),
    },
  ]
  const backing: KubeObject & { readonly subsets: unknown } = { metadata, subsets }
  return [
    planned({ type: 'ClusterIP', ports: servicePortsOf(here) }),
    { resource: RESOURCES.endpoints, object: backing },
  ]
}

function isName({ metadata }: KubeObject): boolean {
  return metadata.labels?.[LABELS.purpose] === 'name'
}

/** Applying it would change nothing: a look that finds nothing to do writes nothing. */
function isSame(present: KubeService | undefined, wanted: KubeObject): boolean {
  const spec = (wanted as KubeService).spec ?? {}
  if (present?.spec === undefined || present.metadata.deletionTimestamp !== undefined || isMarked(present)) return false
  const { type, externalName, selector, ports } = present.spec
  const now = [type, externalName, sortedEntries(selector), ports?.map(portKey)]
  const then = [spec.type, spec.externalName, sortedEntries(spec.selector), spec.ports?.map(portKey)]
  return JSON.stringify(now) === JSON.stringify(then)
}

function portKey({
  name,
  port,
  targetPort,
}: {
  readonly name?: string
  readonly port: number
  readonly targetPort?: number | string
}): string {
  return `${name ?? ''} ${port} ${targetPort ?? port}`
}

function sortedEntries(record: Readonly<Record<string, string>> = {}): readonly (readonly [string, string])[] {
  return Object.entries(record).sort(([left], [right]) => (left < right ? -1 : 1))
}
