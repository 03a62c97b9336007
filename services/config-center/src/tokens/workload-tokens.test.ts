import { ManualClock } from '@tributary/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { FakeWorkloadIdentity } from '../testing/fake-workload-identity.test-support.js'
import { WorkloadTokens } from './workload-tokens.js'

/** A clock whose calendar can be set back while its durations go on. */
class WallClock extends ManualClock {
  #behindMs = 0

  override now(): number {
    return super.now() - this.#behindMs
  }

  setBack(ms: number): void {
    this.#behindMs += ms
  }
}

let clock: WallClock
let identity: FakeWorkloadIdentity
let tokens: WorkloadTokens
let ended: string[]

beforeEach(() => {
  clock = new WallClock(0)
  identity = new FakeWorkloadIdentity()
  tokens = new WorkloadTokens({ identity, clock })
  ended = []
  tokens.onEnded((tokenId, end) => ended.push(`${tokenId} ${end}`))
})

describe('an accepted workload', () => {
  it('is its tenant, and is asked about once a minute', async () => {
    const token = identity.add('feature-x')
    for (const [afterMs, reviews] of [
      [0, 1],
      [59_999, 1],
      [1, 2],
    ] as const) {
      clock.advance(afterMs)
      expect(await tokens.authenticate(token)).toMatchObject({
        tokenId: 'pod-feature-x',
        role: 'tenant',
        tenant: 'feature-x',
      })
      expect(identity.reviews).toBe(reviews)
    }
  })

  it('shares one question with all who bring its token at the same time', async () => {
    const token = identity.add('feature-x')
    await Promise.all(Array.from({ length: 50 }, () => tokens.authenticate(token)))
    expect(identity.reviews).toBe(1)
  })

  it('is not trusted for longer than its token says', async () => {
    const token = identity.add('feature-x', { expiresAt: 10_000 })
    await tokens.authenticate(token)
    clock.advance(10_000)
    identity.workloads.delete(token)
    await expect(tokens.authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('is asked about again after a minute, even when the wall clock is set back', async () => {
    const token = identity.add('feature-x')
    await tokens.authenticate(token)
    clock.advance(60_000)
    clock.setBack(3_600_000)
    await tokens.authenticate(token)
    expect(identity.reviews).toBe(2)
  })

  it('gets in from memory for a minute while the platform is down, and then not', async () => {
    const token = identity.add('feature-x')
    await tokens.authenticate(token)
    identity.isDown = true
    clock.advance(59_999)
    expect((await tokens.authenticate(token)).tenant).toBe('feature-x')
    clock.advance(1)
    await expect(tokens.authenticate(token)).rejects.toMatchObject({ code: 'WORKLOAD_IDENTITY_UNAVAILABLE' })
    identity.isDown = false
    expect((await tokens.authenticate(token)).tenant).toBe('feature-x')
  })

  it('may hold a stream until the newest of its tokens has expired', async () => {
    await tokens.authenticate(identity.add('feature-x', { expiresAt: 20_000 }))
    await tokens.authenticate(identity.add('feature-x', { expiresAt: 10_000 }))
    tokens.announceExpired(19_999)
    expect([ended, tokens.find('pod-feature-x')?.expiresAt]).toEqual([[], 20_000])
    tokens.announceExpired(20_000)
    expect([ended, tokens.find('pod-feature-x')]).toEqual([['pod-feature-x token_expired'], undefined])
  })

  it('ends with its space at once, remembered or not; others stay', async () => {
    const token = identity.add('feature-x')
    const other = identity.add('feature-y')
    await tokens.authenticate(token)
    await tokens.authenticate(other)
    identity.removeSpace('feature-x')
    expect(ended).toEqual(['pod-feature-x token_revoked'])
    await expect(tokens.authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect((await tokens.authenticate(other)).tenant).toBe('feature-y')
  })

  it('does not get in by an answer that was made before its space went', async () => {
    const token = identity.add('feature-x')
    identity.beforeAnswer = () => {
      identity.beforeAnswer = () => undefined
      identity.removeSpace('feature-x')
    }
    await expect(tokens.authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(tokens.find('pod-feature-x')).toBeUndefined()
  })
})

describe('a refused token', () => {
  it('is told why, and asked about again after five seconds', async () => {
    const refused = { code: 'UNAUTHENTICATED', message: "The workload's token is not accepted: nobody knows it." }
    await expect(tokens.authenticate('w.late.0')).rejects.toMatchObject(refused)
    identity.workloads.set('w.late.0', { ...workload('late'), tenant: 'late', space: 'late' })
    clock.advance(4_999)
    await expect(tokens.authenticate('w.late.0')).rejects.toMatchObject(refused)
    clock.advance(1)
    expect((await tokens.authenticate('w.late.0')).tenant).toBe('late')
  })
})

describe('a flood of tokens', () => {
  it('never has more than 16 questions under way, and refuses beyond those that may wait', async () => {
    let asking = 0
    let most = 0
    let release: () => void = () => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    identity.beforeAnswer = async () => {
      asking += 1
      most = Math.max(most, asking)
      await released
      asking -= 1
    }
    const all = Array.from({ length: 2_020 }, (_, index) =>
      tokens.authenticate(`w.${index}.x`).catch((error: { code: string }) => error.code),
    )
    release()
    const codes = await Promise.all(all)
    expect(most).toBe(16)
    expect(codes.filter((code) => code === 'WORKLOAD_IDENTITY_UNAVAILABLE')).toHaveLength(4)
    expect(codes.filter((code) => code === 'UNAUTHENTICATED')).toHaveLength(2_016)
  })
})

function workload(name: string) {
  return { workloadId: `pod-${name}`, name, role: 'tenant' as const, issuedAt: 0, expiresAt: 1_000_000 }
}
