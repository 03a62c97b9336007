import type { IncomingMessage } from 'node:http'
import { backoffMs, isAppError, type Clock } from '@tributary/kit'
import { failure } from '../../../errors.js'
import { parseRefusal, refused, unreachable, type Refusal } from './kube-errors.js'
import type { KubeList, KubeObject, Resource } from './kube-objects.js'
import { readText, type KubeRequest, type KubeTransport } from './kube-transport.js'

/** The field manager of everything that is applied: what others own of an object stays theirs. */
export const FIELD_MANAGER = 'tributary'

/** How an API server is talked to. */
export interface KubeApiOptions {
  readonly transport: Pick<KubeTransport, 'send'>
  readonly clock: Clock
  /** How long a request is tried while the server does not answer, or answers 429 or 5xx. Default 45,000. */
  readonly patienceMs?: number
  /** How long one attempt may take. Default 20,000. */
  readonly attemptMs?: number
}

/** An object's place: without a namespace for a kind of the cluster. */
export interface ObjectRef {
  readonly namespace?: string
  readonly name: string
}

/** What a list or a watch is narrowed to. */
export interface Selection {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

/** Which copy of the object a deletion is meant for, and how. */
export interface DeleteOptions {
  readonly signal: AbortSignal
  readonly uid?: string
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan'
}

const RETRY = { initialMs: 250, maxMs: 5000 }
const LIST_PAGE = '500'

/**
 * The API server's objects. Every request here may be sent twice without harm, so all of them are tried again on 429, 5xx and lost connections, as
 * the API conventions say: after `Retry-After` when the server names one, else with backoff.
 * Rejects with `KUBERNETES_*`: NOT_FOUND, CONFLICT, EXPIRED, FORBIDDEN, UNAUTHENTICATED, REJECTED, and UNREACHABLE (retryable) when patience ended.
 */
export class KubeApi {
  constructor(private readonly options: KubeApiOptions) {}

  /** `KUBERNETES_NOT_FOUND` */
  async get<T extends KubeObject>(resource: Resource, ref: ObjectRef, signal: AbortSignal): Promise<T> {
    return this.#json<T>(describe('read', resource, ref), { method: 'GET', path: objectPath(resource, ref), signal })
  }

  /** Undefined when it is not there. */
  async find<T extends KubeObject>(resource: Resource, ref: ObjectRef, signal: AbortSignal): Promise<T | undefined> {
    try {
      return await this.get<T>(resource, ref, signal)
    } catch (error) {
      if (isAppError(error, 'KUBERNETES_NOT_FOUND')) return undefined
      throw error
    }
  }

  /** All of a selection, page by page, with the revision of the first. */
  async list<T extends KubeObject>(
    resource: Resource,
    selection: Selection,
    signal: AbortSignal,
  ): Promise<KubeList<T>> {
    const what = describe('list', resource, selection)
    const path = collectionPath(resource, selection.namespace)
    const items: T[] = []
    let resourceVersion: string | undefined
    let token: string | undefined
    do {
      const query = {
        ...selectionQuery(selection),
        limit: LIST_PAGE,
        ...(token === undefined ? {} : { continue: token }),
      }
      const page = await this.#json<KubeList<T>>(what, { method: 'GET', path, query, signal })
      items.push(...page.items)
      resourceVersion ??= page.metadata.resourceVersion
      token = page.metadata.continue === '' ? undefined : page.metadata.continue
    } while (token !== undefined)
    return { metadata: resourceVersion === undefined ? {} : { resourceVersion }, items }
  }

  /**
   * Server-side apply as {@link FIELD_MANAGER}: what the object says is ours, even where somebody else set it. Answers the object. With
   * `metadata.uid` or `metadata.resourceVersion` only onto that object, or that state of it: else `KUBERNETES_CONFLICT`, at once.
   */
  async apply<T extends KubeObject>(resource: Resource, object: T, signal: AbortSignal): Promise<T> {
    const { uid, resourceVersion } = object.metadata
    const request: KubeRequest = {
      method: 'PATCH',
      path: objectPath(resource, object.metadata),
      query: { fieldManager: FIELD_MANAGER, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: JSON.stringify({ ...object, apiVersion: resource.apiVersion, kind: resource.kind }),
      signal,
    }
    const isConditional = uid !== undefined || resourceVersion !== undefined
    return this.#json<T>(describe('apply', resource, object.metadata), request, { isConditional })
  }

  /** `KUBERNETES_CONFLICT` when there is one of the name: also when an earlier attempt of this call had been heard. */
  async create<T extends KubeObject>(resource: Resource, object: T, signal: AbortSignal): Promise<T> {
    return this.#json<T>(describe('create', resource, object.metadata), {
      method: 'POST',
      path: collectionPath(resource, object.metadata.namespace),
      query: { fieldManager: FIELD_MANAGER },
      body: JSON.stringify({ ...object, apiVersion: resource.apiVersion, kind: resource.kind }),
      signal,
    })
  }

  /** RFC 7396. `metadata.resourceVersion` in the patch is a precondition. */
  async mergePatch<T extends KubeObject>(
    resource: Resource,
    ref: ObjectRef,
    {
      patch,
      signal,
      subresource,
    }: { readonly patch: unknown; readonly signal: AbortSignal; readonly subresource?: string },
  ): Promise<T> {
    const path = objectPath(resource, ref) + (subresource === undefined ? '' : `/${subresource}`)
    return this.#json<T>(describe('patch', resource, ref), {
      method: 'PATCH',
      path,
      query: { fieldManager: FIELD_MANAGER },
      contentType: 'application/merge-patch+json',
      body: JSON.stringify(patch),
      signal,
    })
  }

  /** Writes a whole object back. `metadata.resourceVersion` is a precondition, `KUBERNETES_CONFLICT` at once when it does not hold; `subresource` e.g. `finalize`. */
  async replace<T extends KubeObject>(
    resource: Resource,
    object: T,
    { signal, subresource }: { readonly signal: AbortSignal; readonly subresource?: string },
  ): Promise<T> {
    const path = objectPath(resource, object.metadata) + (subresource === undefined ? '' : `/${subresource}`)
    const request: KubeRequest = {
      method: 'PUT',
      path,
      query: { fieldManager: FIELD_MANAGER },
      body: JSON.stringify({ ...object, apiVersion: resource.apiVersion, kind: resource.kind }),
      signal,
    }
    const isConditional = object.metadata.resourceVersion !== undefined
    return this.#json<T>(describe('replace', resource, object.metadata), request, { isConditional })
  }

  /** Asks for the deletion; finalizers may take longer. Nothing happens when it is not there. `KUBERNETES_CONFLICT`: another object has the name. */
  async delete(resource: Resource, ref: ObjectRef, { signal, uid, propagationPolicy }: DeleteOptions): Promise<void> {
    const body = {
      propagationPolicy: propagationPolicy ?? 'Background',
      ...(uid === undefined ? {} : { preconditions: { uid } }),
    }
    try {
      await this.#json(describe('delete', resource, ref), {
        method: 'DELETE',
        path: objectPath(resource, ref),
        body: JSON.stringify(body),
        signal,
      })
    } catch (error) {
      if (!isAppError(error, 'KUBERNETES_NOT_FOUND')) throw error
    }
  }

  /** Any document of the server, e.g. `/version` or discovery. */
  async read<T>(path: string, signal: AbortSignal): Promise<T> {
    return this.#json<T>(`read ${path}`, { method: 'GET', path, signal })
  }

  /** Sends a request that is no object of a collection, e.g. a TokenRequest. */
  async post<T>(path: string, body: unknown, signal: AbortSignal): Promise<T> {
    return this.#json<T>(`post ${path}`, { method: 'POST', path, body: JSON.stringify(body), signal })
  }

  /** An open answer: logs, a watch. One attempt; whoever reads it begins again. */
  async open(what: string, request: Omit<KubeRequest, 'method'>): Promise<IncomingMessage> {
    throwIfCanceled(what, request.signal)
    const answer = await this.#attempt(what, { ...request, method: 'GET' })
    if (answer.statusCode === 200) return answer
    throw refused(what, await refusalOf(answer))
  }

  async #json<T>(what: string, request: KubeRequest, { isConditional = false } = {}): Promise<T> {
    const { clock, patienceMs = 45_000 } = this.options
    const deadline = clock.monotonicMs() + patienceMs
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#once<T>(what, request)
      if ('value' in outcome) return outcome.value
      const waitMs = outcome.retryAfterMs ?? backoffMs(attempt, RETRY)
      // A precondition that did not hold will not hold the next time.
      const isOver = isConditional && isAppError(outcome.error, 'KUBERNETES_CONFLICT')
      if (isOver || !outcome.mayRetry || clock.monotonicMs() + waitMs > deadline) throw outcome.error
      await clock.sleep(waitMs, request.signal).catch(() => undefined)
      throwIfCanceled(what, request.signal)
    }
  }

  async #once<T>(
    what: string,
    request: KubeRequest,
  ): Promise<
    | { readonly value: T }
    | { readonly error: unknown; readonly mayRetry: boolean; readonly retryAfterMs: number | undefined }
  > {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(this.options.attemptMs ?? 20_000)])
    try {
      const answer = await this.#attempt(what, { ...request, signal })
      if (isSuccess(answer)) return { value: JSON.parse(await readText(answer)) as T }
      const refusal = await refusalOf(answer)
      return { error: refused(what, refusal), mayRetry: isTransient(refusal), retryAfterMs: refusal.retryAfterMs }
    } catch (cause) {
      throwIfCanceled(what, request.signal)
      const error = isAppError(cause) ? cause : unreachable(what, cause)
      return { error, mayRetry: isAppError(error, 'KUBERNETES_UNREACHABLE'), retryAfterMs: undefined }
    }
  }

  async #attempt(what: string, request: KubeRequest): Promise<IncomingMessage> {
    try {
      return await this.options.transport.send(request)
    } catch (cause) {
      throw isAppError(cause) ? cause : unreachable(what, cause)
    }
  }
}

/** A write that lost against another one (409 without a precondition of ours) is as good as one that was never sent. */
function isTransient({ status, reason }: Refusal): boolean {
  if (status === 409) return reason === 'Conflict'
  return status === 429 || status === 500 || status === 502 || status === 503 || status === 504
}

function isSuccess(answer: IncomingMessage): boolean {
  return answer.statusCode !== undefined && answer.statusCode >= 200 && answer.statusCode < 300
}

async function refusalOf(answer: IncomingMessage): Promise<Refusal> {
  return parseRefusal(answer.statusCode ?? 0, await readText(answer), answer.headers['retry-after'])
}

function throwIfCanceled(what: string, signal: AbortSignal): void {
  if (signal.aborted)
    throw failure('PLATFORM_CANCELED', `${what}: given up, it is no longer wanted`, { cause: signal.reason })
}

/** `labelSelector` and `fieldSelector` of a selection. */
export function selectionQuery({ labelSelector, fieldSelector }: Selection): Record<string, string> {
  return {
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  }
}

/** Path of a collection, of one namespace or of the whole cluster. */
export function collectionPath({ apiVersion, plural }: Resource, namespace?: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  return `${root}${namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`}/${plural}`
}

/** Path of an object. */
export function objectPath(resource: Resource, { namespace, name }: ObjectRef): string {
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`
}

function describe(
  verb: string,
  { kind }: Resource,
  { namespace, name }: { readonly namespace?: string; readonly name?: string },
): string {
  const object = name === undefined ? kind : `${kind} ${name}`
  return namespace === undefined ? `${verb} ${object}` : `${verb} ${object} in ${namespace}`
}
