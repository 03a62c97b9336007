import { failuresOf, type ErrorCatalogue } from '@tributary/kit'

/** Every error code that the env-manager can answer or record, with its kind and what it means. The docs are generated from it. */
export const ENV_MANAGER_ERRORS = {
  ARGUMENT_INVALID: { kind: 'invalid_argument', description: 'A request does not have the documented shape.' },
  BODY_TOO_LARGE: { kind: 'invalid_argument', description: 'The request body is larger than the server takes.' },
  ROUTE_NOT_FOUND: { kind: 'not_found', description: 'No such path or method.' },
  TOKEN_MISSING: { kind: 'unauthenticated', description: 'The request carries no bearer token.' },
  TOKEN_INVALID: { kind: 'unauthenticated', description: 'The config center does not know the bearer token.' },
  ROLE_NOT_ALLOWED: { kind: 'permission_denied', description: 'The token’s role may not do this.' },
  SESSION_OVER: {
    kind: 'unauthenticated',
    description:
      'The session has ended: it was not used, it was too old, somebody signed out, its token is worth nothing any more, or the provider gives the person no role any more.',
  },
  CSRF_INVALID: {
    kind: 'permission_denied',
    description: 'A write by cookie lacks the session’s CSRF value in the header x-tributary-csrf.',
  },
  OIDC_PROVIDER_UNREACHABLE: {
    kind: 'unavailable',
    description: 'The provider that people sign in at does not answer as one; signing in with a token works meanwhile.',
  },
  OIDC_STATE_INVALID: {
    kind: 'invalid_argument',
    description: 'Who comes back from the provider has not begun to sign in with this browser, or a long time ago.',
  },
  OIDC_SIGN_IN_REFUSED: {
    kind: 'permission_denied',
    description: 'The provider did not vouch for anybody, or what it said does not hold.',
  },
  OIDC_ROLE_MISSING: {
    kind: 'permission_denied',
    description: 'The provider knows the person, and no value of the configured claim gives a role.',
  },
  ENVIRONMENT_NOT_FOUND: { kind: 'not_found', description: 'There is no environment of this name.' },
  ENVIRONMENT_TERMINATING: {
    kind: 'failed_precondition',
    description: 'The environment is being torn down; a push afterwards makes a new generation.',
  },
  ENVIRONMENT_NOT_TERMINATING: {
    kind: 'failed_precondition',
    description: 'The environment is not being torn down, so there are no finalizers to release.',
  },
  ENVIRONMENT_PERMANENT: {
    kind: 'failed_precondition',
    description: 'The integration environment cannot be deleted: every other one falls back to it.',
  },
  RUN_NOT_FAILED: {
    kind: 'failed_precondition',
    description: 'Only a run that did not succeed can be tried again; redeploy the environment instead.',
  },
  GATEWAY_ENVIRONMENT_ASLEEP: {
    kind: 'unavailable',
    description: 'The environment was asleep; this request wakes it. It is to be sent again.',
  },
  SERVICE_NOT_FOUND: { kind: 'not_found', description: 'The environment does not deploy a service of this name.' },
  RUN_NOT_FOUND: { kind: 'not_found', description: 'There is no run of this id, or it is no longer kept.' },
  ROLLBACK_TARGET_MISSING: {
    kind: 'failed_precondition',
    description: 'No earlier successful run deployed another commit of the service.',
  },
  IMAGE_NOT_AWAITED: {
    kind: 'failed_precondition',
    description: 'The service is deployed when its branch is pushed; only `deploy: { on: image }` waits for images.',
  },
  IMAGE_UNKNOWN: {
    kind: 'failed_precondition',
    description: 'No image of the commit is known, or it is no longer kept: its pipeline has to name it again.',
  },
  APPROVAL_NOT_FOUND: {
    kind: 'conflict',
    description: 'Nothing waits for an approval of this id: the set of environments changed or was dealt with.',
  },
  DEFINITION_INVALID: { kind: 'failed_precondition', description: 'A service.yaml or tributary.yaml is wrong.' },
  SECRET_UNAVAILABLE: {
    kind: 'failed_precondition',
    description: 'A declared secret can neither be generated nor is it given by the platform configuration.',
  },
  CONFIG_INVALID: {
    kind: 'invalid_argument',
    description: 'The platform configuration is wrong; all errors are listed.',
  },
  STATE_CONFLICT: {
    kind: 'conflict',
    description: 'The manager’s own record kept changing while it was being written; the reconcile is repeated.',
  },
  STATE_CORRUPT: { kind: 'internal', description: 'A record of the manager’s own store cannot be read.' },
  NOTHING_TO_PROBE: {
    kind: 'failed_precondition',
    description: 'No service of the environment declares whom it calls, so there is no edge to probe.',
  },
  VERIFY_FAILED: { kind: 'failed_precondition', description: 'The definition’s verify check did not hold.' },
  TEARDOWN_INCOMPLETE: {
    kind: 'unavailable',
    description: 'Something of the environment’s ledger is still there; the teardown goes on.',
  },
  RUN_SUPERSEDED: { kind: 'canceled', description: 'A newer push or a deletion took over before the run ended.' },
  MANAGER_STOPPING: { kind: 'canceled', description: 'The manager is being stopped; the next start goes on.' },
  CONFIG_CENTER_UNREACHABLE: {
    kind: 'unavailable',
    description: 'The config center cannot be asked who bears a token; it is tried again.',
  },
  NOT_LEADER: {
    kind: 'unavailable',
    description:
      'Another env-manager on the same store leads; details.leader says where if TRIBUTARY_ADVERTISED_URL does. Nothing was done here.',
  },
  NOT_READY: { kind: 'unavailable', description: 'The manager has not started its loop yet, or is shutting down.' },
  INTERNAL: { kind: 'internal', description: 'A bug of the env-manager.' },
  GIT_UNREACHABLE: { kind: 'unavailable', description: 'The git server did not answer; nothing is deleted meanwhile.' },
  GIT_AUTHENTICATION_FAILED: {
    kind: 'failed_precondition',
    description: 'The git server refused the credentials of the repository.',
  },
  GIT_REPOSITORY_NOT_FOUND: { kind: 'failed_precondition', description: 'There is no git repository at the URL.' },
  GIT_ANSWER_INVALID: {
    kind: 'unavailable',
    description: 'The git server’s answer makes no sense; nothing is deleted because of it.',
  },
  GIT_COMMIT_NOT_FOUND: { kind: 'not_found', description: 'The git server no longer has the commit.' },
  GIT_FILE_TOO_LARGE: { kind: 'failed_precondition', description: 'A file of the repository is over its size limit.' },
  GIT_NOT_INSTALLED: { kind: 'failed_precondition', description: 'The git command cannot be started, or is too old.' },
  GIT_URL_INVALID: { kind: 'invalid_argument', description: 'The repository’s URL is not one that git may be given.' },
  GIT_PATH_INVALID: { kind: 'invalid_argument', description: 'A path or commit id cannot be one of a git repository.' },
  GIT_TIMEOUT: { kind: 'deadline_exceeded', description: 'A git command took too long and was stopped.' },
  GIT_CANCELED: { kind: 'canceled', description: 'A git command was stopped because its result is no longer wanted.' },
  GIT_OUTPUT_TOO_LARGE: { kind: 'resource_exhausted', description: 'A git command printed more than its bound.' },
  GIT_DISK_FULL: { kind: 'resource_exhausted', description: 'The disk that holds the mirrors is full.' },
  GIT_SHALLOW_CLONE: {
    kind: 'failed_precondition',
    description: 'The clone lacks the history that a version is counted from.',
  },
  GIT_FAILED: { kind: 'unavailable', description: 'A git command failed; the message has its last lines.' },
  PLATFORM_BUILD_FAILED: { kind: 'failed_precondition', description: 'The build command failed.' },
  PLATFORM_START_FAILED: { kind: 'failed_precondition', description: 'The service could not be started.' },
  PLATFORM_UNHEALTHY: {
    kind: 'failed_precondition',
    description: 'The service did not become healthy in time, or gave up.',
  },
  PLATFORM_ADDRESS_UNREACHABLE: {
    kind: 'unavailable',
    description:
      'A copy is ready, but the address that callers would get does not lead to it (yet); it is tried again.',
  },
  PLATFORM_IMAGE_MISSING: {
    kind: 'unavailable',
    description: 'The image of a service cannot be had (yet); the deploy is tried again until somebody has built it.',
  },
  PLATFORM_UNSUPPORTED: {
    kind: 'failed_precondition',
    description: 'The platform cannot run the service as it is defined.',
  },
  PLATFORM_WORKLOAD_NOT_FOUND: { kind: 'not_found', description: 'The platform has no such workload.' },
  PLATFORM_COMMAND_INVALID: {
    kind: 'failed_precondition',
    description: 'A command of run.local cannot be run without a shell.',
  },
  PLATFORM_PORTS_EXHAUSTED: { kind: 'resource_exhausted', description: 'No port of the configured range is free.' },
  PLATFORM_DATA_UNWRITABLE: { kind: 'failed_precondition', description: 'The data folder cannot be written.' },
  PLATFORM_DISK_FULL: { kind: 'resource_exhausted', description: 'The disk that holds the data folder is full.' },
  PLATFORM_RESOURCE_FOREIGN: {
    kind: 'invalid_argument',
    description: 'A resource that this platform instance did not make; it is not touched.',
  },
  PLATFORM_STUCK: {
    kind: 'unavailable',
    description: 'A process or folder is still there after everything was tried; it is tried again.',
  },
  PLATFORM_CANCELED: { kind: 'canceled', description: 'The work was stopped because its result is no longer wanted.' },
  GATEWAY_PORT_IN_USE: { kind: 'failed_precondition', description: 'Another process listens on the gateway’s port.' },
  GATEWAY_HOST_INVALID: {
    kind: 'invalid_argument',
    description: 'The gateway was asked with a host that it does not serve.',
  },
  ROUTE_NAME_TAKEN: {
    kind: 'failed_precondition',
    description: 'Somebody else’s Ingress, HTTPRoute or VirtualService stands where a route of an environment would.',
  },
  ROUTES_NOT_POSSIBLE: {
    kind: 'failed_precondition',
    description: 'The cluster lacks the kind of route that the configuration asks for.',
  },
  GATEWAY_NOT_READY: {
    kind: 'unavailable',
    description: 'The gateway has not read the route table yet, so it cannot tell which environments there are.',
  },
  GATEWAY_ENVIRONMENT_UNKNOWN: { kind: 'not_found', description: 'The gateway serves no environment of this name.' },
  GATEWAY_SERVICE_UNKNOWN: { kind: 'not_found', description: 'The environment sees no service of this name.' },
  GATEWAY_SERVICE_MASKED: { kind: 'not_found', description: 'The environment, or one below it, hides the service.' },
  GATEWAY_UPSTREAM_DOWN: { kind: 'unavailable', description: 'The service that should answer did not.' },
  GATEWAY_CALLBACK_FORGED: {
    kind: 'permission_denied',
    description: 'A callback URL was changed or made up; it leads nowhere.',
  },
  GATEWAY_CALLBACK_EXPIRED: { kind: 'gone', description: 'A callback URL is older than it was meant to get.' },
  GATEWAY_CALLBACK_GONE: {
    kind: 'gone',
    description: 'The environment that made a callback URL, or its own copy of the service, is gone.',
  },
  GATEWAY_CALLBACK_UNDECIDED: {
    kind: 'unavailable',
    description: 'Whether the environment of a callback URL is there cannot be told now; it is to be tried again.',
  },
  GATEWAY_LISTEN_FAILED: { kind: 'failed_precondition', description: 'The gateway cannot listen at its address.' },
  KUBERNETES_UNREACHABLE: {
    kind: 'unavailable',
    description: 'The API server does not answer, or is overloaded; it is tried again.',
  },
  KUBERNETES_UNAUTHENTICATED: {
    kind: 'failed_precondition',
    description: 'The API server does not accept the credentials of the manager.',
  },
  KUBERNETES_FORBIDDEN: {
    kind: 'failed_precondition',
    description: 'The manager’s account lacks a permission of RBAC; the message names it.',
  },
  KUBERNETES_REJECTED: {
    kind: 'failed_precondition',
    description: 'The cluster refused an object: a quota, a policy, or its shape.',
  },
  KUBERNETES_NOT_FOUND: { kind: 'not_found', description: 'The cluster has no such object.' },
  KUBERNETES_CONFLICT: { kind: 'conflict', description: 'Somebody else changed the object at the same time.' },
  KUBERNETES_EXPIRED: { kind: 'gone', description: 'The API server no longer has that revision; it is listed again.' },
  NAMESPACE_FOREIGN: {
    kind: 'failed_precondition',
    description: 'A namespace of that name was made by somebody else; it is left alone.',
  },
  CHART_INVALID: {
    kind: 'failed_precondition',
    description:
      'A chart, its values or an object that it makes is wrong, or is not allowed here; the same input fails again.',
  },
  CHART_REJECTED: {
    kind: 'failed_precondition',
    description:
      'The API server refused an object of a chart (quota, policy, immutable field, name taken); the message names it.',
  },
  CHART_HOOK_FAILED: { kind: 'failed_precondition', description: 'A hook of a chart failed or took too long.' },
  CHART_REVISION_NOT_FOUND: { kind: 'not_found', description: 'Helm no longer has the revision of the release.' },
  HELM_NOT_INSTALLED: {
    kind: 'failed_precondition',
    description: 'The helm command cannot be started, or is too old.',
  },
  HELM_UNAVAILABLE: {
    kind: 'unavailable',
    description: 'Helm could not reach the cluster or the registry of a chart; it is tried again.',
  },
  HELM_FORBIDDEN: {
    kind: 'permission_denied',
    description: 'The cluster refused the credentials of the manager, or does not let it do what the release needs.',
  },
  HELM_TIMEOUT: { kind: 'deadline_exceeded', description: 'A helm command took too long and was stopped.' },
  HELM_CANCELED: {
    kind: 'canceled',
    description: 'A helm command was stopped because its result is no longer wanted.',
  },
  HELM_FAILED: { kind: 'failed_precondition', description: 'A helm command failed; the message has its last lines.' },
  PLATFORM_UNAVAILABLE: { kind: 'unavailable', description: 'The platform does not answer; it is tried again.' },
} as const satisfies ErrorCatalogue

/** A code of {@link ENV_MANAGER_ERRORS}. */
export type EnvManagerErrorCode = keyof typeof ENV_MANAGER_ERRORS

/** Makes the error of a catalogue code. The message says what was attempted, on what, and what to do; never a secret. */
export const failure = failuresOf(ENV_MANAGER_ERRORS)
