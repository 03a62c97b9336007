import type { ChangeEvent } from '@tributary/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventHub } from './event-hub.js'

interface Frame {
  readonly id: string
  readonly event: string
  readonly data: { readonly name?: string; readonly revision?: string; readonly reason?: string }
}

class Output {
  canTakeMore = true
  readonly frames: Frame[] = []

  write(text: string): void {
    for (const frame of text.split('\n\n').filter((part) => part !== '')) {
      const [, id = '', event = '', data = ''] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(frame) ?? []
      this.frames.push({ id, event, data: JSON.parse(data) as Frame['data'] })
    }
  }

  get told(): string[] {
    return this.frames.map(({ event, data }) => `${event} ${data.name ?? data.reason}@${data.revision ?? ''}`)
  }
}

const change = (name: string, revision: number, kind: ChangeEvent['kind'] = 'environment'): ChangeEvent => ({
  kind,
  name,
  revision: String(revision),
  gone: false,
})
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve))

describe('a client of the event stream', () => {
  it('reads everything at first, then what changes, once per turn', async () => {
    const [hub, output] = [new EventHub(), new Output()]
    hub.publish(change('before', 1))
    hub.subscribe(output, undefined)
    hub.publish(change('a', 2))
    hub.publish(change('a', 3))
    hub.publish(change('b', 4, 'run'))
    await turn()
    expect(output.told).toEqual(['reset connected@', 'environment a@3', 'run b@4'])
  })

  it('resumes after the last event that it has seen', async () => {
    const [hub, first, second] = [new EventHub(), new Output(), new Output()]
    const subscription = hub.subscribe(first, undefined)
    hub.publish(change('a', 1))
    await turn()
    subscription.leave()
    hub.publish(change('b', 2))
    hub.subscribe(second, first.frames.at(-1)?.id)
    expect(second.told).toEqual(['environment b@2'])
    expect(hub.size).toBe(1)
  })

  it.each(['', 'x', '0123456789ab-1', '../../etc', '0123456789ab-99999999999999999999'])(
    'reads everything again when its last event (%j) is none of this process',
    (id) => {
      const [hub, output] = [new EventHub(), new Output()]
      hub.subscribe(output, id)
      expect(output.told).toEqual(['reset history_gone@'])
    },
  )

  it('reads everything again when it was away for too long', async () => {
    const [hub, first, second] = [new EventHub(), new Output(), new Output()]
    hub.subscribe(first, undefined).leave()
    const id = first.frames[0]?.id
    for (let revision = 0; revision < 2_001; revision += 1) hub.publish(change('a', revision))
    hub.subscribe(second, id)
    expect(second.told).toEqual(['reset history_gone@'])
  })

  it('reads everything again when something was missed', async () => {
    const [hub, output, late] = [new EventHub(), new Output(), new Output()]
    hub.subscribe(output, undefined)
    hub.publish(change('a', 1))
    await turn()
    const { id } = output.frames.at(-1) ?? { id: '' }
    hub.reset()
    await turn()
    expect(output.told.at(-1)).toBe('reset history_gone@')
    hub.subscribe(late, id)
    expect(late.told).toEqual(['reset history_gone@'])
  })

  it('costs no more than a bounded number of names while it is slow', async () => {
    const [hub, output] = [new EventHub(), new Output()]
    const subscription = hub.subscribe(output, undefined)
    output.canTakeMore = false
    for (let revision = 0; revision < 3_000; revision += 1) hub.publish(change(`e${revision % 999}`, revision))
    await turn()
    expect(output.told).toEqual(['reset connected@'])
    output.canTakeMore = true
    subscription.flush()
    expect(output.frames).toHaveLength(1 + 999)
    output.canTakeMore = false
    for (let revision = 0; revision < 1_500; revision += 1) hub.publish(change(`f${revision}`, revision))
    output.canTakeMore = true
    subscription.flush()
    expect(output.told.slice(1_000, 1_001)).toEqual(['reset too_slow@'])
  })

  it('knows the newest of everything, however often it is cut off', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('publish' as const), name: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ kind: fc.constantFrom('cut' as const, 'slow' as const, 'turn' as const, 'missed' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const hub = new EventHub()
        const newest = new Map<string, string>()
        const known = new Map<string, string>()
        let lastId: string | undefined
        let output = new Output()
        let subscription = hub.subscribe(output, lastId)
        const read = (): void => {
          for (const { id, event, data } of output.frames.splice(0)) {
            lastId = id
            if (event === 'reset') for (const [name, revision] of newest) known.set(name, revision)
            else known.set(data.name ?? '', data.revision ?? '')
          }
        }
        for (const [index, one] of steps.entries()) {
          if (one.kind === 'publish') {
            newest.set(one.name, String(index))
            hub.publish(change(one.name, index))
          } else if (one.kind === 'slow') output.canTakeMore = !output.canTakeMore
          else if (one.kind === 'turn') await turn()
          else if (one.kind === 'missed') hub.reset()
          else {
            subscription.leave()
            output = new Output()
            subscription = hub.subscribe(output, lastId)
          }
          read()
        }
        output.canTakeMore = true
        subscription.flush()
        read()
        expect(known).toEqual(newest)
      }),
    )
  })
})
