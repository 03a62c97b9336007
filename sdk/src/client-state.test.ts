import { describe, expect, it } from 'vitest'
import { StateHolder, stateAfter } from './client-state.js'

describe('stateAfter', () => {
  it.each([
    ['in_step', false, 'READY'],
    ['in_step', true, 'READY'],
    ['outage', false, 'NOT_READY'],
    ['outage', true, 'STALE'],
    ['refused', false, 'ERROR'],
    ['refused', true, 'ERROR'],
  ] as const)('after %s with a view held (%s) is %s', (event, holdsView, state) => {
    expect(stateAfter(event, holdsView)).toBe(state)
  })
})

describe('StateHolder', () => {
  it('begins as NOT_READY', () => {
    expect(new StateHolder().report.state).toBe('NOT_READY')
  })

  it('tells each change once, with both sides, and not a new reason alone', () => {
    const holder = new StateHolder()
    const seen: string[] = []
    holder.onChange((now, before) => seen.push(`${before.state} -> ${now.state}: ${now.reason}`))
    holder.set('NOT_READY', 'still nothing')
    holder.set('READY', 'live')
    holder.set('READY', 'live again')
    holder.set('STALE', 'cut')
    expect(seen).toEqual(['NOT_READY -> READY: live', 'READY -> STALE: cut'])
    expect(holder.report).toEqual({ state: 'STALE', reason: 'cut' })
  })

  it('tells the others when one listener throws, and none that has left', () => {
    const holder = new StateHolder()
    const seen: string[] = []
    holder.onChange(() => {
      throw new Error('mine')
    })
    const stop = holder.onChange((now) => seen.push(now.state))
    holder.set('READY', '')
    stop()
    holder.set('STALE', '')
    expect(seen).toEqual(['READY'])
  })
})
