import { describe, expect, it } from 'vitest'
import type { WorkloadSpec } from '../../../ports/platform.js'
import { copySecret, endpointsOf, parsePorts, planCopy } from './copy-plan.js'

const surroundings = { instance: 'tributary', rendering: ['charts/service', {}], hasIdentity: false }
const spec: WorkloadSpec = {
  environment: 'feature-x',
  generation: 2,
  service: 'orders',
  definition: {
    apiVersion: 'tributary/v1',
    kind: 'Service',
    name: 'orders',
    ports: [
      { name: 'grpc-api', protocol: 'grpc', port: 9000 },
      { name: 'http', port: 8080 },
    ],
  },
  repository: 'shop',
  commitSha: 'a'.repeat(40),
  directory: '',
  version: 'v1.0-1-aaaaaaaa',
  environmentVariables: { TRIBUTARY_TOKEN: 'token', PORT: '1', GREETING: 'hello' },
  secrets: { 'session-key': 's3cret' },
}

describe('planCopy', () => {
  it('gives a copy its variables, its secrets and its ports, which nothing can take away', () => {
    expect(planCopy(spec, surroundings).variables).toEqual({
      TRIBUTARY_TOKEN: 'token',
      GREETING: 'hello',
      TRIBUTARY_SECRET_SESSION_KEY: 's3cret',
      PORT: '9000',
      PORT_GRPC_API: '9000',
      PORT_HTTP: '8080',
      HOST: '0.0.0.0',
    })
  })

  it('keeps the token from pods that prove themselves', () => {
    expect(planCopy(spec, { ...surroundings, hasIdentity: true }).variables).not.toHaveProperty('TRIBUTARY_TOKEN')
  })

  it('has the same id for the same, in whatever order it is told', () => {
    const { workloadId } = planCopy(spec, surroundings)
    const reordered = Object.fromEntries(Object.entries(spec.environmentVariables).reverse())
    expect(planCopy({ ...spec, environmentVariables: reordered }, surroundings).workloadId).toBe(workloadId)
    expect(workloadId).toMatch(/^feature-x\.2\.orders\.aaaaaaaaaaaa\.[0-9a-f]{10}$/)
  })

  it.each<[string, Partial<WorkloadSpec>, object]>([
    ['commit', { commitSha: 'b'.repeat(40) }, {}],
    ['secret', { secrets: { 'session-key': 'other' } }, {}],
    ['variable', { environmentVariables: {} }, {}],
    ['generation', { generation: 3 }, {}],
    ['value of the chart', {}, { rendering: ['charts/service', { replicaCount: 2 }] }],
  ])('has another id for another %s', (_what, change, other) => {
    const changed = planCopy({ ...spec, ...change }, { ...surroundings, ...other })
    expect(changed.workloadId).not.toBe(planCopy(spec, surroundings).workloadId)
  })

  it('says nothing secret where others can read it', () => {
    const { labels, podAnnotations, secretName, workloadId } = planCopy(spec, surroundings)
    expect(JSON.stringify([labels, podAnnotations, secretName, workloadId])).not.toMatch(/s3cret|"token"/)
  })
})

describe('copySecret', () => {
  it('stands in the environment’s namespace, with everything in base64', () => {
    const plan = planCopy(spec, surroundings)
    const identity = { instance: 'tributary', environment: 'feature-x', namespace: 'team-a-feature-x' }
    const { object } = copySecret(spec, plan, identity)
    expect(object).toMatchObject({
      metadata: { name: plan.secretName, namespace: 'team-a-feature-x', labels: { 'tributary.dev/purpose': 'copy' } },
      data: { TRIBUTARY_SECRET_SESSION_KEY: 'czNjcmV0' },
    })
  })
})

describe('ports', () => {
  it('are written into an annotation and read back', () => {
    const { ports, podAnnotations } = planCopy(spec, surroundings)
    expect(parsePorts(podAnnotations['tributary.dev/ports'] ?? '')).toEqual(ports)
    expect(parsePorts('')).toEqual([])
  })

  it('are reached by the name of the service in its namespace', () => {
    const where = { service: 'orders', namespace: 'team-a-feature-x', clusterDomain: 'cluster.local' }
    expect(endpointsOf(where, [{ name: 'http', protocol: 'http', port: 8080 }])).toEqual([
      { name: 'http', protocol: 'http', port: 8080, host: 'orders.team-a-feature-x.svc.cluster.local' },
    ])
  })
})
