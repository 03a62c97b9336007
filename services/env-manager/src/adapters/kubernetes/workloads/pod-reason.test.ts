import { describe, expect, it } from 'vitest'
import type { ContainerStatus, KubeEvent, KubePod } from '../api/kube-objects.js'
import { reasonOfMissingPods, reasonOfPod } from './pod-reason.js'

const podWith = (status: Partial<ContainerStatus>, more: Partial<NonNullable<KubePod['status']>> = {}): KubePod => ({
  metadata: { name: 'orders-1', namespace: 'x', uid: 'u-1' },
  status: {
    phase: 'Running',
    containerStatuses: [{ name: 'service', ready: false, restartCount: 0, image: 'shop/orders:v1', ...status }],
    ...more,
  },
})
const event = (reason: string, message: string, lastTimestamp: string, uid = 'u-1'): KubeEvent => ({
  metadata: { name: message },
  involvedObject: { kind: 'Pod', uid },
  reason,
  message,
  lastTimestamp,
})

describe('reasonOfPod', () => {
  it('has none for a pod that takes requests', () => {
    const pod = podWith({ ready: true }, { conditions: [{ type: 'Ready', status: 'True' }] })
    expect(reasonOfPod(pod, [event('Unhealthy', 'long ago', '2026-01-01T00:00:00Z')])).toBeUndefined()
  })

  it.each<[string, Partial<ContainerStatus>, string, boolean]>([
    [
      'an image that is being waited for',
      { state: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "shop/orders:v1"' } } },
      'the image shop/orders:v1 cannot be had (ImagePullBackOff): Back-off pulling image "shop/orders:v1"',
      false,
    ],
    [
      'an image that is never pulled',
      { state: { waiting: { reason: 'ErrImageNeverPull' } } },
      'the image shop/orders:v1 cannot be had (ErrImageNeverPull)',
      true,
    ],
    [
      'a missing Secret, which the kubelet may only be late to see',
      { state: { waiting: { reason: 'CreateContainerConfigError', message: 'secret "orders-1" not found' } } },
      'the container waits (CreateContainerConfigError): secret "orders-1" not found',
      false,
    ],
    [
      'a first crash',
      { state: { terminated: { exitCode: 1, reason: 'Error' } } },
      'pod orders-1 ended with exit status 1',
      false,
    ],
    [
      'a crash loop',
      {
        restartCount: 1,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 1, reason: 'Error' } },
      },
      'pod orders-1 ended with exit status 1, 1 restart so far',
      true,
    ],
    [
      'a container that is killed for its memory',
      { restartCount: 3, state: { running: {} }, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } },
      'pod orders-1 ended with OOMKilled: it took more memory than its limit, 3 restarts so far',
      true,
    ],
  ])('tells of %s', (_what, status, text, final) => {
    expect(reasonOfPod(podWith(status), [])).toEqual({
      text,
      final,
      ...(text.startsWith('the image') ? { isImage: true } : {}),
    })
  })

  it('takes what the newest event of that very pod says, when its status says nothing', () => {
    const pod = podWith({ state: { running: {} } })
    const events = [
      event('Unhealthy', 'Readiness probe failed: statuscode: 500', '2026-01-01T00:00:01Z'),
      event('Unhealthy', 'Readiness probe failed: statuscode: 503', '2026-01-01T00:00:02Z'),
      event('Unhealthy', 'of another pod', '2026-01-01T00:00:03Z', 'u-2'),
    ]
    expect(reasonOfPod(pod, events)).toEqual({ text: 'Readiness probe failed: statuscode: 503', final: false })
  })

  it('tells why no node takes the pod, in one short line', () => {
    const message = `0/1 nodes are available:\n  1 Insufficient cpu. ${'x'.repeat(1000)}`
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }]
    const reason = reasonOfPod({ metadata: { name: 'orders-1' }, status: { phase: 'Pending', conditions } }, [])
    expect(reason?.text).toMatch(/^pod orders-1 finds no node: 0\/1 nodes are available: 1 Insufficient cpu\./)
    expect(reason?.text.length).toBeLessThanOrEqual(400)
  })

  it('says how far a pod is of which nothing else is known', () => {
    expect(reasonOfPod({ metadata: { name: 'orders-1' } }, [])).toEqual({
      text: 'pod orders-1 is being made',
      final: false,
    })
  })
})

describe('reasonOfMissingPods', () => {
  const quota = 'pods "orders-1" is forbidden: exceeded quota: tributary-environment, requested: pods=1'

  it('names a quota, from the Deployment’s condition or the ReplicaSet’s event', () => {
    const text = `the quota of the environment is exceeded: ${quota}`
    const condition = { type: 'ReplicaFailure', status: 'True', message: quota }
    expect(reasonOfMissingPods([condition], [])).toEqual({ text, final: false })
    expect(reasonOfMissingPods([], [event('FailedCreate', quota, '2026-01-01T00:00:00Z')])).toEqual({
      text,
      final: false,
    })
  })

  it('knows none when nobody complains', () => {
    expect(reasonOfMissingPods([{ type: 'Available', status: 'False' }], [])).toBeUndefined()
  })
})
