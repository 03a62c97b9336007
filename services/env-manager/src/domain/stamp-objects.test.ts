import { describe, expect, it } from 'vitest'
import type { KubeObject } from './chart-manifest.js'
import { stampObjects, stampValues } from './stamp-objects.js'

const stamp = { labels: { 'tributary.dev/service': 'orders' }, podAnnotations: { 'tributary.dev/workload-id': 'w1' } }
const deployment = (kind: string): KubeObject & { readonly spec: unknown } => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'orders' },
  spec: { replicas: 1, template: { metadata: { labels: { app: 'orders' } }, spec: { containers: [] } } },
})

describe('stampObjects', () => {
  it.each(['Deployment', 'StatefulSet', 'DaemonSet'])('marks a %s and its pods, and keeps what is there', (kind) => {
    expect(stampObjects([deployment(kind)], stamp)).toEqual([
      {
        apiVersion: 'apps/v1',
        kind,
        metadata: { name: 'orders', labels: stamp.labels },
        spec: {
          replicas: 1,
          template: {
            metadata: { labels: { app: 'orders', ...stamp.labels }, annotations: stamp.podAnnotations },
            spec: { containers: [] },
          },
        },
      },
    ])
  })

  it('leaves the pods of a Job alone, so that no Service leads to them', () => {
    const [job] = stampObjects([deployment('Job')], stamp)
    expect(job).toEqual({ ...deployment('Job'), metadata: { name: 'orders', labels: stamp.labels } })
  })

  it('wins over what the chart says', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x', labels: { 'tributary.dev/service': 'y', a: 'b' } },
    }
    expect(stampObjects([object], stamp)).toMatchObject([
      { metadata: { name: 'x', labels: { 'tributary.dev/service': 'orders', a: 'b' } } },
    ])
  })

  it('adds nothing when there is nothing to add', () => {
    const object = deployment('Deployment')
    expect(stampObjects([object], { labels: {}, podAnnotations: {} })).toEqual([object])
  })
})

describe('stampValues', () => {
  it('puts labels and annotations where the platform’s chart takes them from, over what is there', () => {
    const values = { labels: { a: 'b', 'tributary.dev/service': 'y' }, podAnnotations: 'nonsense', image: { tag: '1' } }
    expect(stampValues(values, stamp)).toEqual({
      labels: { a: 'b', ...stamp.labels },
      podLabels: stamp.labels,
      podAnnotations: stamp.podAnnotations,
      image: { tag: '1' },
    })
  })
})
