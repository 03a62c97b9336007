import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describeWithCluster, testImage } from '@tributary/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { GitFixture } from '../support/git-fixture.js'
import { waitFor } from '../support/wait-for.js'
import { ClusterPlatform } from './support/cluster-platform.js'
import { TINY_PROGRAM, tinyDefinition } from './support/tiny-service.js'

const HELD = 'feature-held'
const OTHER = 'feature-other'

describeWithCluster('a namespace that the cluster does not end', () => {
  let folder: string
  let platform: ClusterPlatform
  let git: GitFixture

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tributary-stuck-'))
    const program = { files: { 'server.cjs': TINY_PROGRAM }, command: ['/app/server.cjs'] }
    const image = await testImage({ name: 'tributary-stuck', ...program })
    git = await GitFixture.create(folder, 'tiny', { 'service.yaml': tinyDefinition(image), text: 'main' })
    platform = await ClusterPlatform.prepare({
      instance: `kube-stuck-${process.pid % 10_000}`,
      repositories: { tiny: git.url },
      settings: { concurrency: 1, drainSeconds: 0 },
    })
    await platform.startManager()
    await git.push('feature/held', { text: 'held' })
    await platform.untilReady(HELD)
  })
  afterAll(async () => {
    await release().catch(() => undefined)
    await platform.remove()
    await rm(folder, { recursive: true, force: true })
  })

  const hold = (): Promise<string> => {
    const metadata = { name: 'held', namespace: platform.namespaceOf(HELD), finalizers: ['example.com/backup'] }
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata }
    return platform.kubectl(['create', '-f', '-'], JSON.stringify(object))
  }
  const release = (): Promise<string> => {
    const patch = JSON.stringify({ metadata: { finalizers: null } })
    return platform.kubectl([
      'patch',
      'configmap',
      'held',
      '-n',
      platform.namespaceOf(HELD),
      '--type=merge',
      '-p',
      patch,
    ])
  }
  const isHeld = async (): Promise<boolean> => {
    const namespace = platform.namespaceOf(HELD)
    return (await platform.kubectl(['get', 'namespace', namespace, '-o', 'jsonpath={.status.phase}'])) === 'Terminating'
  }
  /** Both at a time, where one may be worked on: the one that waits for the cluster takes no room. */
  const areBothAtWork = async (): Promise<boolean> => {
    const { running } = await platform.envManager.getStatus()
    return running.includes(HELD) && running.includes(OTHER)
  }

  it('keeps no other environment from coming or going, and its own goes when it does', async () => {
    await hold()
    await git.delete('feature/held')
    await waitFor('the namespace to be deleted', isHeld)
    await git.push('feature/other', { text: 'other' })
    await waitFor('another environment to be made meanwhile', areBothAtWork, { timeoutMs: 30_000, everyMs: 20 })
    await platform.untilReady(OTHER)
    await git.delete('feature/other')
    await platform.untilGone(OTHER)
    expect((await platform.envManager.getEnvironment(HELD)).phase).toBe('terminating')
    await release()
    await platform.untilGone(HELD)
    const { receipts } = await platform.envManager.listReceipts(HELD)
    expect(receipts).toMatchObject([
      { resources: expect.arrayContaining([expect.objectContaining({ kind: 'namespace' })]) },
    ])
    expect(await platform.leftOver(HELD)).toEqual([])
  })
})
