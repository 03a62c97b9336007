import { describe, expect, it } from 'vitest'
import { helmFailure, helmSpawnFailure, isLeftPending, isReleaseMissing } from './helm-errors.js'

/** What helm 4.1 (and 3, where it differs) prints, as it was seen. */
const SEEN: readonly (readonly [what: string, stderr: string, code: string, message: string])[] = [
  [
    'an object that the API server finds wrong',
    'Error: Deployment.apps "orders" is invalid: spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`\n',
    'CHART_REJECTED',
    'could not apply x: Deployment.apps "orders" is invalid: spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`; mend what it complains of and push again',
  ],
  [
    'a field that cannot change, logged and printed',
    'level=WARN msg="upgrade failed" name=e error="Deployment.apps \\"orders\\" is invalid"\nError: UPGRADE FAILED: Deployment.apps "orders" is invalid: spec.selector: field is immutable\n',
    'CHART_REJECTED',
    'could not apply x: Deployment.apps "orders" is invalid: spec.selector: field is immutable; mend what it complains of and push again',
  ],
  [
    'a quota',
    'Error: services "s" is forbidden: exceeded quota: q, requested: services=1',
    'CHART_REJECTED',
    'services "s" is forbidden: exceeded quota',
  ],
  ['a policy', 'Error: admission webhook "x" denied the request: no', 'CHART_REJECTED', 'denied the request'],
  [
    'an object of somebody else',
    'Error: unable to continue with install: ConfigMap "foreign" in namespace "x" exists and cannot be imported into the current release: invalid ownership metadata',
    'CHART_REJECTED',
    'ConfigMap "foreign" in namespace "x" exists',
  ],
  [
    'a field that there is not',
    'Error: UPGRADE FAILED: error validating "": error validating data: [ValidationError(Deployment.spec): unknown field "contaners"',
    'CHART_INVALID',
    'unknown field "contaners"',
  ],
  [
    'a value of another type, found by the server',
    'Error: failed to create typed patch object (feature-x/a; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got *value.valueUnstructured',
    'CHART_INVALID',
    '.spec.replicas: expected numeric',
  ],
  [
    'a kind that there is not',
    'Error: unable to build kubernetes objects from release manifest: resource mapping not found for name: "f" namespace: "" from "": no matches for kind "Foo" in version "foo.example/v1"\nensure CRDs are installed first\n',
    'CHART_INVALID',
    'no matches for kind "Foo" in version "foo.example/v1"; ensure CRDs are installed first; mend',
  ],
  [
    'values that break the schema',
    "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nservice:\n- at '/replicaCount': got string, want integer\n",
    'CHART_INVALID',
    'got string, want integer',
  ],
  [
    'a template that fails',
    'Error: execution error at (service/templates/ingress.yaml:5:13): ingress.host is needed',
    'CHART_INVALID',
    'ingress.host is needed',
  ],
  [
    'a dependency that is not there',
    'Error: An error occurred while checking for chart dependencies: found in Chart.yaml, but missing in charts/ directory: redis',
    'CHART_INVALID',
    'redis',
  ],
  [
    'a hook',
    'Error: failed pre-install: resource Job/x/mig not ready. status: Failed, message: Job Failed. failed: 1/1',
    'CHART_HOOK_FAILED',
    'Job/x/mig not ready',
  ],
  [
    'a hook of helm 3',
    'Error: UPGRADE FAILED: pre-upgrade hooks failed: 1 error occurred:\n\t* timed out waiting for the condition\n',
    'CHART_HOOK_FAILED',
    'pre-upgrade hooks failed',
  ],
  [
    'a cluster that is gone',
    'Error: kubernetes cluster unreachable: Get "https://127.0.0.1:1/version": dial tcp 127.0.0.1:1: connect: connection refused',
    'HELM_UNAVAILABLE',
    'it is tried again',
  ],
  [
    'a cluster that is gone, in helm 3',
    'Error: Kubernetes cluster unreachable: Get "https://127.0.0.1:1/version": EOF',
    'HELM_UNAVAILABLE',
    'it is tried again',
  ],
  [
    'a namespace that goes',
    'Error: configmaps "a" is forbidden: unable to create new content in namespace x because it is being terminated',
    'HELM_UNAVAILABLE',
    'is being terminated',
  ],
  [
    'credentials that are no longer good',
    'Error: kubernetes cluster unreachable: the server has asked for the client to provide credentials',
    'HELM_FORBIDDEN',
    'renew the credentials',
  ],
  [
    'a permission that is missing',
    'Error: query: failed to query with labels: secrets is forbidden: User "joe" cannot list resource "secrets" in API group "" in the namespace "x"',
    'HELM_FORBIDDEN',
    'give the manager’s account this permission',
  ],
  ['nothing that is known', 'Error: what is this', 'HELM_FAILED', 'could not apply x: what is this'],
  ['nothing at all', '', 'HELM_FAILED', 'could not apply x: helm said nothing'],
]

describe('helmFailure', () => {
  it.each(SEEN)('maps %s', (_what, stderr, code, message) => {
    expect(helmFailure({ action: 'apply x', stderr, otherwise: 'HELM_FAILED' })).toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
  })

  it('lets a manager without a permission try again, for it may be given back', () => {
    const stderr = 'Error: User "joe" cannot list resource "secrets"'
    expect(helmFailure({ action: 'apply x', stderr, otherwise: 'HELM_FAILED' }).retryable).toBe(true)
    expect(
      helmFailure({ action: 'apply x', stderr: 'Error: x is invalid: y', otherwise: 'HELM_FAILED' }).retryable,
    ).toBe(false)
  })

  it('keeps what helm says within bounds', () => {
    const { message } = helmFailure({
      action: 'apply x',
      stderr: `Error: ${'y'.repeat(100_000)}`,
      otherwise: 'HELM_FAILED',
    })
    expect(message.length).toBeLessThan(2000)
  })
})

it('knows a release that a killed client left', () => {
  expect(isLeftPending('Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress')).toBe(true)
  expect(isLeftPending('Error: UPGRADE FAILED: "orders" has no deployed releases')).toBe(true)
  expect(isLeftPending('Error: services "s" is forbidden')).toBe(false)
})

it('knows a release that is not there', () => {
  expect(isReleaseMissing('Error: release: not found')).toBe(true)
  expect(isReleaseMissing('Error: host not found')).toBe(false)
})

it('tells a helm that is not there from one that does not start', () => {
  const cause = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code })
  expect(helmSpawnFailure('apply x', cause('ENOENT')).code).toBe('HELM_NOT_INSTALLED')
  expect(helmSpawnFailure('apply x', cause('EMFILE'))).toMatchObject({
    code: 'HELM_FAILED',
    message: expect.stringContaining('EMFILE'),
  })
})
