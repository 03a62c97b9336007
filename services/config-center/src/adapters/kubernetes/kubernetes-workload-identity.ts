import type { TokenRole } from '@tributary/contract'
import { systemClock, type Clock } from '@tributary/kit'
import { tenantOfNamespace, type EnvironmentNamespaces } from '../../domain/environment-namespace.js'
import { readClaims, type TokenClaims } from '../../domain/token-claims.js'
import { failure } from '../../errors.js'
import type { VouchedWorkload, WorkloadIdentity, WorkloadVerdict } from '../../ports/workload-identity.js'
import { apiObjects, type TokenReviewStatus } from './api-objects.js'
import type { ApiServerAddress } from './api-server-address.js'
import { ApiServer } from './api-server.js'
import { NamespaceWatch } from './namespace-watch.js'

/** How pods are identified. */
export interface KubernetesIdentityOptions {
  readonly api: ApiServerAddress
  /** Whose environments' namespaces count: the label `tributary.dev/instance`. */
  readonly instance: string
  /** Before the names of their namespaces. Default: none. */
  readonly namespacePrefix?: string
  /** The audience that a token must be for. */
  readonly audience: string
  /** Roles of ServiceAccounts that are no environment's, by `<namespace>/<name>`: the platform's own. */
  readonly roles?: ReadonlyMap<string, TokenRole>
  readonly clock?: Clock
  readonly random?: () => number
}

const REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews'
const SERVICE_ACCOUNT = /^system:serviceaccount:([a-z0-9-]+):([a-z0-9.-]+)$/
const POD_NAME = 'authentication.kubernetes.io/pod-name'
const POD_UID = 'authentication.kubernetes.io/pod-uid'

/**
 * Pods of a Kubernetes cluster by their projected ServiceAccount tokens: the API server says whose a token is (TokenReview), and the pod's
 * namespace, which must carry the labels of an environment of this instance, is its tenant.
 */
export function createKubernetesWorkloadIdentity(options: KubernetesIdentityOptions): WorkloadIdentity {
  return new KubernetesWorkloadIdentity(options)
}

interface Pod {
  readonly namespace: string
  readonly serviceAccount: string
  readonly name: string
  readonly uid: string
}

class KubernetesWorkloadIdentity implements WorkloadIdentity {
  readonly #options: KubernetesIdentityOptions
  readonly #api: ApiServer
  readonly #clock: Clock
  readonly #namespaces: NamespaceWatch
  readonly #environments: EnvironmentNamespaces
  readonly #listeners = new Set<(space: string) => void>()

  constructor(options: KubernetesIdentityOptions) {
    const { clock = systemClock, random = Math.random } = options
    this.#options = options
    this.#environments = { instance: options.instance, prefix: options.namespacePrefix ?? '' }
    this.#clock = clock
    this.#api = new ApiServer(options.api)
    const onGone = (name: string): void => {
      for (const listener of this.#listeners) listener(name)
    }
    this.#namespaces = new NamespaceWatch({ api: this.#api, ...this.#environments, clock, random, onGone })
  }

  recognizes(token: string): boolean {
    return readClaims(token) !== undefined
  }

  async review(token: string): Promise<WorkloadVerdict> {
    const claims = readClaims(token)
    if (claims === undefined) return refused('it is no JSON Web Token')
    const problem = this.#problemOf(claims)
    if (problem !== undefined) return refused(problem)
    const pod = podOf(await this.#ask(token), this.#options.audience)
    return typeof pod === 'string' ? refused(pod) : this.#verdict(pod, claims)
  }

  onSpaceGone(listener: (space: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  start(): void {
    this.#namespaces.start()
  }

  async close(): Promise<void> {
    await this.#namespaces.close()
    this.#api.close()
  }

  /** What the token itself says against it: then the API server need not be asked. */
  #problemOf({ audiences, expiresAt }: TokenClaims): string | undefined {
    const { audience } = this.#options
    if (!audiences.includes(audience)) return `it is not for the audience ${audience}; mount a projected token for it`
    return expiresAt <= this.#clock.now() ? 'it has expired; read its file again' : undefined
  }

  async #ask(token: string): Promise<TokenReviewStatus> {
    const spec = { token, audiences: [this.#options.audience] }
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec }
    const answer = await this.#api.request({ method: 'POST', path: REVIEWS, body })
    if (answer.status < 300 && apiObjects.tokenReview.Check(answer.body)) return answer.body.status
    const advice = answer.status === 403 ? '; allow our ServiceAccount to create tokenreviews' : ''
    throw failure('WORKLOAD_IDENTITY_UNAVAILABLE', `A TokenReview was answered with ${answer.status}${advice}.`)
  }

  async #verdict(pod: Pod, claims: TokenClaims): Promise<WorkloadVerdict> {
    const { namespace, serviceAccount, name, uid } = pod
    const { issuedAt, expiresAt } = claims
    const common = { workloadId: `pod-${uid}`, name: `pod ${name} of ${namespace}`, issuedAt, expiresAt }
    const role = this.#options.roles?.get(`${namespace}/${serviceAccount}`)
    if (role !== undefined && role !== 'tenant') return accepted({ ...common, role })
    const labelled = await this.#namespaces.find(namespace)
    const { instance, prefix } = this.#environments
    const tenant = labelled === undefined ? undefined : tenantOfNamespace(labelled, this.#environments)
    if (tenant !== undefined) return accepted({ ...common, role: 'tenant', tenant, space: namespace })
    const named = prefix === '' ? '' : ` with the prefix ${prefix}`
    return refused(`the namespace ${namespace} bears no labels of an environment of the instance ${instance}${named}`)
  }
}

function podOf({ authenticated, audiences, user }: TokenReviewStatus, audience: string): Pod | string {
  if (authenticated !== true) return 'the API server does not know it, or its pod is gone'
  // An API server that knows no audiences answers without any: it did not check ours.
  if (audiences?.includes(audience) !== true) return `the API server did not accept it for the audience ${audience}`
  const [, namespace, serviceAccount] = SERVICE_ACCOUNT.exec(user?.username ?? '') ?? []
  if (namespace === undefined || serviceAccount === undefined) return 'it is not the token of a ServiceAccount'
  const [name] = user?.extra?.[POD_NAME] ?? []
  const [uid] = user?.extra?.[POD_UID] ?? []
  if (name === undefined || uid === undefined) return 'it is not bound to a pod'
  return { namespace, serviceAccount, name, uid }
}

function accepted(workload: VouchedWorkload): WorkloadVerdict {
  return { kind: 'workload', workload }
}

function refused(reason: string): WorkloadVerdict {
  return { kind: 'refused', reason }
}
