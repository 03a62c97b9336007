export type { ChangeHandler } from './config/change-subscription.js'
export type { Config } from './config/config-store.js'
export { connect } from './connect.js'
export {
  BaggageMember,
  TENANT_MEMBER,
  parseBaggage,
  type BaggageProperty,
  type ParsedBaggage,
} from './context/baggage.js'
export { withRoutingContext, type HttpListener } from './context/http-listener.js'
export { currentContext, runWithContext, runWithTenant, type RoutingContext } from './context/routing-context.js'
export { BAGGAGE_REFUSALS, type BaggageRefusal, type Routing } from './context/routing.js'
export { CLIENT_STATES, type ClientState, type StateListener, type StateReport } from './client-state.js'
export { DIAGNOSTIC_CODES, type Diagnostic, type DiagnosticCode, type DiagnosticListener } from './diagnostics.js'
export { SDK_ERRORS, type SdkErrorCode } from './errors.js'
export type { Immutable } from './freeze.js'
export type { HealthOptions } from './health/health-answers.js'
export { createHealthHandler } from './health/health-handler.js'
export type { DependencyCheck, EndpointCheck, SelfCheck } from './health/self-check.js'
export type { ConnectOptions } from './config.js'
export { createCallbackHandler, type NextHandler } from './messaging/callback-handler.js'
export type { ReceivedCallback } from './messaging/callbacks.js'
export type { LifetimeOptions, RestoredContext } from './messaging/capsules.js'
export type { MessageDecision } from './messaging/consumer-rule.js'
export { BAGGAGE_HEADER, type Messages, type ReceivedMessage } from './messaging/messages.js'
export { createAgents, type RoutingAgents } from './outgoing/node-agents.js'
export type { Registration, RegisterOptions, RegistrationState } from './registration/registration.js'
export type { EndpointFilter, Resolution } from './resolve/resolution.js'
export type { ResolutionHandler } from './resolve/resolution-watchers.js'
export type { ResolveOptions } from './resolve/resolver.js'
export type { ReconnectTiming } from './stream/reconnect-policy.js'
export type { Tributary } from './tributary.js'
export { AppError, isAppError } from '@tributary/kit'
