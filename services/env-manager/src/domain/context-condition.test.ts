import type { Condition, ObservedLeak } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import { contextFinding } from './context-condition.js'

const at = '2026-01-01T00:00:00.000Z'

const leak = (more: Partial<ObservedLeak> = {}): ObservedLeak => ({
  kind: 'dropped',
  tenant: 'feature-x',
  from: 'payments',
  to: 'orders',
  route: 'GET /callback',
  count: 1,
  firstSeenAt: at,
  lastSeenAt: at,
  traceId: null,
  seenIn: { tenant: 'integration', service: 'payments' },
  ...more,
})

const before: Condition = {
  type: 'ContextPropagated',
  status: 'False',
  reason: 'ContextLost',
  message: '',
  observedGeneration: 1,
  lastTransitionAt: at,
}

describe('contextFinding', () => {
  it('names the edge, the copy that lost the context, and its route', () => {
    const finding = contextFinding([leak()], undefined)
    expect(finding).toMatchObject({ type: 'ContextPropagated', status: 'False', reason: 'ContextLost' })
    expect(finding?.message).toMatch(/^payments -> orders: integration\/payments lost .* \(GET \/callback\)/)
  })

  it('is the same however often and with whatever traces the same edges leak', () => {
    const one = contextFinding([leak()], undefined)
    const again = [leak({ count: 900, traceId: 'a'.repeat(32), lastSeenAt: '2026-02-01T00:00:00.000Z' })]
    expect(contextFinding([...again, ...again], before)).toEqual(one)
  })

  it('says that a loss is only suspected when nothing certain was seen', () => {
    const suspected = leak({ kind: 'suspected', to: 'mail' })
    expect(contextFinding([suspected], undefined)).toMatchObject({ reason: 'ContextLossSuspected' })
    expect(contextFinding([suspected], undefined)?.message).toContain('runWithTenant(undefined')
    expect(contextFinding([suspected, leak()], undefined)?.message).not.toContain('mail')
  })

  it('heals when no leak is seen any more, and says nothing where none ever was', () => {
    expect(contextFinding([], before)).toMatchObject({ status: 'True', reason: 'NoLeakSeen' })
    expect(contextFinding([], undefined)).toBeUndefined()
  })

  it('stays short when everything leaks', () => {
    const many = Array.from({ length: 40 }, (_, index) => leak({ to: `s${index}` }))
    expect(contextFinding(many, undefined)?.message.split('\n')).toHaveLength(7)
  })
})
