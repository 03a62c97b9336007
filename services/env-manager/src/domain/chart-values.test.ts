import type { ServiceDefinition } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import { chartValuesOf, type ChartValueOptions } from './chart-values.js'

const options: ChartValueOptions = {
  labels: { 'tributary.dev/service': 'orders' },
  podAnnotations: { 'tributary.dev/workload-id': 'w1' },
  secretNames: ['orders-env'],
  imagePullSecrets: ['registry'],
  hasIdentity: true,
}
const subject = (more: Partial<ServiceDefinition>) => ({
  environment: 'feature-x',
  service: 'orders',
  version: 'v1.0-3-abc',
  commitSha: 'abcdef',
  definition: { apiVersion: 'tributary/v1' as const, kind: 'Service' as const, name: 'orders', ...more },
})
const image = 'registry.example:5000/orders:{version}'

describe('chartValuesOf a generated chart', () => {
  it('says what a small service.yaml leaves out', () => {
    expect(chartValuesOf(subject({ run: { image } }), options)).toEqual({
      image: { repository: 'registry.example:5000/orders', tag: 'v1.0-3-abc', digest: '', pullPolicy: 'IfNotPresent' },
      imagePullSecrets: [{ name: 'registry' }],
      labels: options.labels,
      podLabels: options.labels,
      podAnnotations: options.podAnnotations,
      ports: [{ name: 'http', port: 8080, protocol: 'http' }],
      health: { readiness: '', liveness: '' },
      replicaCount: 1,
      command: [],
      args: [],
      writablePaths: [],
      envFromSecrets: ['orders-env'],
      identity: { enabled: true },
      service: { create: false },
    })
  })

  it('hands on all that a service.yaml says of its pods', () => {
    const definition: Partial<ServiceDefinition> = {
      ports: [
        { name: 'rpc', port: 9000, protocol: 'grpc' },
        { name: 'web', port: 80 },
      ],
      health: { readiness: '/readyz', liveness: '/healthz' },
      run: {
        image,
        command: ['node'],
        args: ['server.js'],
        replicas: 2,
        resources: { requests: { cpu: '1' }, limits: { memory: '1Gi' } },
        writable: ['/tmp', '/var/cache'],
        user: 1000,
      },
    }
    expect(
      chartValuesOf(subject(definition), { ...options, imagePullPolicy: 'Never', hasIdentity: false }),
    ).toMatchObject({
      image: { pullPolicy: 'Never' },
      ports: [
        { name: 'rpc', port: 9000, protocol: 'grpc' },
        { name: 'web', port: 80, protocol: 'http' },
      ],
      health: { readiness: '/readyz', liveness: '/healthz' },
      replicaCount: 2,
      command: ['node'],
      args: ['server.js'],
      writablePaths: ['/var/cache'],
      resources: { requests: { cpu: '1' }, limits: { memory: '1Gi' } },
      runAsUser: 1000,
      runAsGroup: 1000,
      identity: { enabled: false },
    })
  })

  it('takes no secret and no variable: they would stay in the release record', () => {
    const values = chartValuesOf(subject({ run: { image, env: { GREETING: 'hello-to-all' } } }), options)
    expect(JSON.stringify(values)).not.toContain('hello-to-all')
  })

  it('lays overrides over the rest and keeps null, by which Helm takes a default away', () => {
    const overrides = { health: { startupSeconds: 5 }, ports: [], runAsUser: null, drainSeconds: 0 }
    expect(
      chartValuesOf(subject({ run: { image }, health: { readiness: '/r' } }), { ...options, overrides }),
    ).toMatchObject({
      health: { readiness: '/r', startupSeconds: 5 },
      ports: [],
      runAsUser: null,
      drainSeconds: 0,
    })
  })

  it('says what to add when there is no image', () => {
    expect(() => chartValuesOf(subject({}), options)).toThrow(
      'could not deploy orders: its service.yaml names no image; add run.image, such as "registry.example/team/orders:{version}"',
    )
  })
})

describe('chartValuesOf a service’s own chart', () => {
  it('gives what charts commonly take, and the block tributary', () => {
    expect(chartValuesOf(subject({ chart: 'chart', run: { image, replicas: 3 } }), options)).toEqual({
      image: { repository: 'registry.example:5000/orders', tag: 'v1.0-3-abc', digest: '', pullPolicy: 'IfNotPresent' },
      imagePullSecrets: [{ name: 'registry' }],
      labels: options.labels,
      podLabels: options.labels,
      podAnnotations: options.podAnnotations,
      tributary: {
        environment: 'feature-x',
        service: 'orders',
        version: 'v1.0-3-abc',
        commit: 'abcdef',
        envFrom: [{ secretRef: { name: 'orders-env' } }],
        identity: { enabled: true, audience: 'tributary' },
      },
    })
  })

  it('leaves the image to a chart whose service.yaml names none', () => {
    expect(chartValuesOf(subject({ chart: 'chart' }), options)).not.toHaveProperty('image')
  })
})
