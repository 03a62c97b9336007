import { describe, expect, it } from 'vitest'
import type { KubeDeployment, KubePod } from '../api/kube-objects.js'
import { assessWorkload } from './workload-status.js'

const annotations = {
  'tributary.dev/workload-id': 'w-2',
  'tributary.dev/commit': 'a'.repeat(40),
  'tributary.dev/version': 'v1',
  'tributary.dev/generation': '3',
  'tributary.dev/ports': 'http:http:8080',
}
const labels = { 'tributary.dev/environment': 'feature-x', 'tributary.dev/service': 'orders' }
const complete = { observedGeneration: 5, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 }

const deploymentWith = (
  status: KubeDeployment['status'],
  more: { readonly metadata?: object; readonly replicas?: number } = {},
): KubeDeployment => ({
  metadata: { name: 'orders', namespace: 'team-a-feature-x', generation: 5, labels, ...more.metadata },
  spec: { replicas: more.replicas ?? 1, template: { metadata: { annotations } } },
  ...(status === undefined ? {} : { status }),
})
const podOf = (workloadId: string, ready: boolean, restartCount = 0): KubePod => ({
  metadata: {
    name: `orders-${workloadId}`,
    uid: workloadId,
    creationTimestamp: '2026-01-01T00:00:00Z',
    annotations: { 'tributary.dev/workload-id': workloadId },
  },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    containerStatuses: [{ name: 'service', ready, restartCount, state: { running: {} } }],
  },
})
const assess = (deployment: KubeDeployment, pods: readonly KubePod[]) =>
  assessWorkload({ deployment, pods, events: [], clusterDomain: 'cluster.local' })

describe('assessWorkload', () => {
  it('is healthy when the rollout is complete and its pod is ready', () => {
    expect(assess(deploymentWith(complete), [podOf('w-2', true)])?.status).toEqual({
      workloadId: 'w-2',
      environment: 'feature-x',
      generation: 3,
      service: 'orders',
      commitSha: 'a'.repeat(40),
      version: 'v1',
      endpoints: [{ name: 'http', protocol: 'http', port: 8080, host: 'orders.team-a-feature-x.svc.cluster.local' }],
      health: 'healthy',
      message: null,
      restarts: 0,
      startedAt: Date.parse('2026-01-01T00:00:00Z'),
    })
  })

  it.each<[string, KubeDeployment['status'], readonly KubePod[]]>([
    ['the controller has not seen the newest spec', { ...complete, observedGeneration: 4 }, [podOf('w-2', true)]],
    ['an old pod is still there', { ...complete, replicas: 2 }, [podOf('w-2', true), podOf('w-1', true)]],
    [
      'only the old pod is ready',
      { ...complete, updatedReplicas: 1, replicas: 2 },
      [podOf('w-2', false), podOf('w-1', true)],
    ],
    ['its pod has just become unready, which the counts do not know', complete, [podOf('w-2', false)]],
    ['nothing is known', undefined, []],
  ])('is starting while %s', (_why, status, pods) => {
    expect(assess(deploymentWith(status), pods)?.status).toMatchObject({
      health: 'starting',
      message: expect.any(String),
    })
  })

  it('has given up on a crash loop of its own pods, not of the former ones', () => {
    const crashing: KubePod = {
      ...podOf('w-2', false),
      status: {
        containerStatuses: [
          {
            name: 'service',
            ready: false,
            restartCount: 4,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1 } },
          },
        ],
      },
    }
    expect(assess(deploymentWith(complete), [crashing])).toMatchObject({
      hasGivenUp: true,
      lacksImage: false,
      status: { health: 'unhealthy', restarts: 4, message: expect.stringContaining('exit status 1') },
    })
    const former = { ...crashing, metadata: podOf('w-1', false).metadata }
    expect(assess(deploymentWith(complete), [podOf('w-2', true), former])?.status.health).toBe('healthy')
  })

  it('is stopped when it is scaled to nothing or being deleted', () => {
    expect(assess(deploymentWith(complete, { replicas: 0 }), [])?.status).toMatchObject({
      health: 'stopped',
      message: null,
    })
    const leaving = { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }
    expect(assess(deploymentWith(complete, leaving), [podOf('w-2', true)])?.status.health).toBe('stopped')
  })

  it('knows a Deployment that is no copy of a service', () => {
    expect(assess({ metadata: { name: 'other', namespace: 'x', labels } }, [])).toBeUndefined()
  })
})
