import type {
  IAuthenticateRequest,
  IAuthenticateResponse,
  ICompactionRequest,
  ICompactionResponse,
  ILeaseGrantRequest,
  ILeaseGrantResponse,
  ILeaseKeepAliveRequest,
  ILeaseKeepAliveResponse,
  ILeaseRevokeRequest,
  ILeaseRevokeResponse,
  ILeaseTimeToLiveRequest,
  ILeaseTimeToLiveResponse,
  IRangeRequest,
  IRangeResponse,
  IStatusRequest,
  IStatusResponse,
  ITxnRequest,
  ITxnResponse,
  IWatchRequest,
  IWatchResponse,
} from 'etcd3'

/** The services of etcd that the store uses. Each has a connection of its own, so that a long replay delays no write. */
export type EtcdService = 'KV' | 'Watch' | 'Lease' | 'Maintenance' | 'Auth'

/** A method with one request and one answer, by its name in etcd's protocol. */
export interface UnaryMethod<Request, Response> {
  readonly service: EtcdService
  readonly name: string
  /** Never there: carries the types. */
  readonly types?: (request: Request) => Response
}

/** A method with a stream in both directions. */
export interface StreamMethod<Request, Response> extends UnaryMethod<Request, Response> {
  readonly kind: 'stream'
}

/** The methods of etcd's protocol that the store calls. Revisions and lease ids travel as decimal text, never as `number`. */
export const ETCD = {
  range: method<IRangeRequest, IRangeResponse>('KV', 'range'),
  txn: method<ITxnRequest, ITxnResponse>('KV', 'txn'),
  compact: method<ICompactionRequest, ICompactionResponse>('KV', 'compact'),
  watch: stream<IWatchRequest, IWatchResponse>('Watch', 'watch'),
  leaseGrant: method<ILeaseGrantRequest, ILeaseGrantResponse>('Lease', 'leaseGrant'),
  leaseRevoke: method<ILeaseRevokeRequest, ILeaseRevokeResponse>('Lease', 'leaseRevoke'),
  leaseTimeToLive: method<ILeaseTimeToLiveRequest, ILeaseTimeToLiveResponse>('Lease', 'leaseTimeToLive'),
  leaseKeepAlive: stream<ILeaseKeepAliveRequest, ILeaseKeepAliveResponse>('Lease', 'leaseKeepAlive'),
  authenticate: method<IAuthenticateRequest, IAuthenticateResponse>('Auth', 'authenticate'),
  status: method<IStatusRequest, IStatusResponse>('Maintenance', 'status'),
} as const

function method<Request, Response>(service: EtcdService, name: string): UnaryMethod<Request, Response> {
  return { service, name }
}

function stream<Request, Response>(service: EtcdService, name: string): StreamMethod<Request, Response> {
  return { service, name, kind: 'stream' }
}
