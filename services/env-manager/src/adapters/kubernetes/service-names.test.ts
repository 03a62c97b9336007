import { describe, expect, it } from 'vitest'
import type { Endpoint } from '@tributary/contract'
import { nameObjects } from './service-names.js'

const identity = { instance: 'tributary', environment: 'feature-x', namespace: 'feature-x' }
const endpoint = (name: string, port: number, more: Partial<Endpoint> = {}): Endpoint => ({
  name,
  port,
  protocol: 'http',
  host: 'orders.feature-x.svc.cluster.local',
  ...more,
})
const specs = (...given: Parameters<typeof nameObjects>): unknown[] =>
  nameObjects(...given).map(({ object }) => ('spec' in object ? object.spec : undefined))

describe('nameObjects', () => {
  it('lets an own service’s name lead to its pods, at every port and at 80', () => {
    const endpoints = [endpoint('grpc', 9000, { protocol: 'grpc' }), endpoint('http', 8080)]
    expect(specs(identity, { service: 'orders', state: 'own', endpoints })).toEqual([
      {
        type: 'ClusterIP',
        selector: { 'tributary.dev/environment': 'feature-x', 'tributary.dev/service': 'orders' },
        ports: [
          { name: 'grpc', port: 9000, targetPort: 9000, protocol: 'TCP' },
          { name: 'http', port: 8080, targetPort: 8080, protocol: 'TCP' },
          { name: 'port-80', port: 80, targetPort: 8080, protocol: 'TCP' },
        ],
      },
    ])
  })

  it('leaves port 80 to a service that declares it, and to none that speaks no HTTP', () => {
    const ports = (endpoints: Endpoint[]): unknown => {
      const [spec] = specs(identity, { service: 'orders', state: 'own', endpoints })
      return typeof spec === 'object' && spec !== null && 'ports' in spec && Array.isArray(spec.ports)
        ? spec.ports.map(({ port, targetPort }: { port: number; targetPort: number }) => [port, targetPort])
        : undefined
    }
    expect(ports([endpoint('http', 8080), endpoint('old', 80)])).toEqual([
      [8080, 8080],
      [80, 80],
    ])
    expect(ports([endpoint('db', 5432, { protocol: 'tcp' })])).toEqual([[5432, 5432]])
  })

  it('lets an inherited service’s name stand for the owner’s', () => {
    const endpoints = [endpoint('http', 8080, { host: 'orders.integration.svc.cluster.local' })]
    expect(specs(identity, { service: 'orders', state: 'inherited', endpoints })).toEqual([
      { type: 'ExternalName', externalName: 'orders.integration.svc.cluster.local' },
    ])
  })

  it('makes addresses of its own for an owner that has an IP and no name', () => {
    const endpoints = [endpoint('http', 3000, { host: '192.0.2.7' })]
    const objects = nameObjects(identity, { service: 'orders', state: 'inherited', endpoints })
    expect(objects.map(({ resource }) => resource.kind)).toEqual(['Service', 'Endpoints'])
    expect(objects[1]?.object).toMatchObject({
      subsets: [
        {
          addresses: [{ ip: '192.0.2.7' }],
          ports: [
            { name: 'http', port: 3000, protocol: 'TCP' },
            { name: 'port-80', port: 3000 },
          ],
        },
      ],
    })
  })

  it('makes nothing for a service without an address', () => {
    expect(nameObjects(identity, { service: 'orders', state: 'inherited', endpoints: [] })).toEqual([])
  })
})
