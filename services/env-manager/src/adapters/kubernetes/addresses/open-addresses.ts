import { failure } from '../../../errors.js'
import type { PlatformContext, ServiceName } from '../../../ports/platform.js'
import { RESOURCES, type KubeService, type KubeServicePort } from '../api/kube-objects.js'
import type { KubernetesParts } from '../kubernetes-parts.js'
import { leadNames } from '../service-names.js'
import { isReady } from '../workloads/pod-reason.js'
import type { AddressToProve } from './address-proof.js'

/** Copies of an environment that are about to be published. */
export interface FreshNames {
  readonly environment: string
  readonly copies: readonly ServiceName[]
}

/**
 * Leads the names of fresh copies to them and proves that their addresses answer. Answers the services whose address did not, with the reason:
 * AppError `PLATFORM_ADDRESS_UNREACHABLE` (retryable).
 */
export async function openAddresses(
  parts: KubernetesParts,
  { environment, copies }: FreshNames,
  context: PlatformContext,
): Promise<ReadonlyMap<string, Error>> {
  if (copies.length === 0) return new Map()
  await leadNames(parts, { environment, names: copies }, context)
  const proofs = copies.map(async (copy): Promise<readonly (readonly [string, Error])[]> => {
    const why = await refusalOf(parts, { environment, copy }, context)
    return why === undefined ? [] : [[copy.service, unreachable(copy.service, environment, why)]]
  })
  return new Map((await Promise.all(proofs)).flat())
}

async function refusalOf(
  parts: KubernetesParts,
  { environment, copy }: { readonly environment: string; readonly copy: ServiceName },
  context: PlatformContext,
): Promise<string | undefined> {
  const address = await addressOf(parts, { environment, copy }, context.signal)
  if (address === undefined) return undefined
  const result = await parts.proof.prove(address, context.signal)
  if (result.state === 'unseen') context.log(`the address of ${copy.service} was not proved: ${result.why}`)
  return result.state === 'refused' ? result.why : undefined
}

/** Undefined when no Service stands between callers and the pod: a headless one's name is the pod's, another's chart may bring none. */
async function addressOf(
  { api, book, spaces }: KubernetesParts,
  { environment, copy }: { readonly environment: string; readonly copy: ServiceName },
  signal: AbortSignal,
): Promise<AddressToProve | undefined> {
  const where = { namespace: spaces.namespaceOf(environment), name: copy.service }
  const { type, clusterIP, ports = [] } = (await api.find<KubeService>(RESOURCES.service, where, signal))?.spec ?? {}
  const podAddress = book.podsOf(environment, copy.service).findLast(isReady)?.status?.podIP
  const host = copy.endpoints[0]?.host
  if (podAddress === undefined || host === undefined) return undefined
  if (type === 'ExternalName' || clusterIP === undefined || clusterIP === 'None' || clusterIP === '') return undefined
  const published = copy.endpoints.flatMap(({ port }) => {
    const found = ports.find((one) => one.port === port)
    return found === undefined ? [] : [{ port, podPort: podPortOf(found) }]
  })
  return { host, serviceAddress: clusterIP, podAddress, ports: published }
}

/** A port by name is the pod's business; charts that use names have the same number on both sides most of the time. */
function podPortOf({ port, targetPort }: KubeServicePort): number {
  return typeof targetPort === 'number' ? targetPort : port
}

function unreachable(service: string, environment: string, why: string): Error {
  return failure(
    'PLATFORM_ADDRESS_UNREACHABLE',
    `${service} in ${environment} is ready, but its Service does not lead to it: ${why}. Callers are not sent there; see that kube-proxy and DNS of the cluster are well. It is tried again`,
  )
}
