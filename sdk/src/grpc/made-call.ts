import type { ChannelInterface, Metadata, StatusObject } from '@grpc/grpc-js'
import { CALLER_HEADER } from '@tributary/contract/light'
import { resumeTelemetry, type activeTelemetry } from '../context/open-telemetry.js'
import { resumeContext, type RoutingContext } from '../context/routing-context.js'
import type { Routing } from '../context/routing.js'
import type { EndOfCall } from '../observe/call-observer.js'
import { traceIdOf } from '../observe/trace-id.js'
import { baggageToService } from '../outgoing/outgoing-baggage.js'
import { isFailure, labelOf } from './grpc-call.js'

/** What grpc-js tells about a call. */
export type Listener = Parameters<ReturnType<ChannelInterface['createCall']>['start']>[1]

/** A call as it is made. */
export interface MadeCall {
  readonly routing: Routing
  readonly service: string
  readonly path: string
  /** The service that calls. */
  readonly caller: string | undefined
  /** What it bears, and the context of the code that makes it. */
  readonly context: RoutingContext
  readonly active: RoutingContext | undefined
  readonly telemetry: ReturnType<typeof activeTelemetry>
}

/** Watches a call that begins now, however many addresses it tries. */
export function observe({ routing, service, path, context, active }: MadeCall, metadata: Metadata): EndOfCall {
  const traceId = traceIdOf(metadata.get('traceparent').map(String)[0])
  const { tenant } = context
  return routing.observer.call({
    service,
    method: 'POST',
    path,
    route: labelOf(path),
    tenant,
    traceId,
    context: active,
  })
}

/** A listener that is told in the context of the call: grpc-js tells in that of whoever opened the connection, which may be another tenant's. */
export function inContext({ active, telemetry }: MadeCall, listener: Listener): Listener {
  const resume = (tell: () => void): void => resumeTelemetry(telemetry, () => resumeContext(active, tell))
  return {
    onReceiveMetadata: (metadata) => resume(() => listener.onReceiveMetadata(metadata)),
    onReceiveMessage: (message) => resume(() => listener.onReceiveMessage(message)),
    onReceiveStatus: (status) => resume(() => listener.onReceiveStatus(status)),
  }
}

/** A call has ended with its status, streams included: only then is it known whether it failed. */
export function told(ended: EndOfCall, listener: Listener): Listener {
  return {
    onReceiveMetadata: (metadata) => listener.onReceiveMetadata(metadata),
    onReceiveMessage: (message) => listener.onReceiveMessage(message),
    onReceiveStatus: (status: StatusObject) => {
      ended(isFailure(status.code))
      listener.onReceiveStatus(status)
    },
  }
}

/** The metadata of the program, with the routing context in it. */
export function callMetadata({ context, caller }: MadeCall, metadata: Metadata): Metadata {
  const written = metadata.get('baggage').map(String).join(',')
  const baggage = baggageToService(context, written === '' ? undefined : written)
  const copy = metadata.clone()
  // Tabs are white space in a header and not allowed in metadata.
  if (baggage === undefined) copy.remove('baggage')
  else copy.set('baggage', baggage.replaceAll('\t', ' '))
  if (caller !== undefined && copy.get(CALLER_HEADER).length === 0) copy.set(CALLER_HEADER, caller)
  return copy
}
