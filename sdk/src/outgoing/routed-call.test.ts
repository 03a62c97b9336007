import type { Endpoint } from '@tributary/contract'
import { Dispatcher } from 'undici'
import { describe, expect, it } from 'vitest'
import { NO_CONTEXT } from '../context/routing-context.js'
import { NO_OBSERVER, type CountedCall } from '../observe/call-observer.js'
import { RoutedCall } from './routed-call.js'

const NEXT: Endpoint = { name: 'http', protocol: 'http', host: '10.0.0.2', port: 80 }

/** A call of `feature-x`, whose dispatcher only takes down what it is given. */
function callOf(elsewhere: Endpoint | undefined) {
  const sent: { readonly origin: unknown; readonly handler: Dispatcher.DispatchHandler }[] = []
  const released: boolean[] = []
  const asked: boolean[] = []
  const counted: (CountedCall & { readonly failed: boolean })[] = []
  class Noting extends Dispatcher {
    override dispatch({ origin }: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
      sent.push({ origin, handler })
      return true
    }
  }
  const lane = { dispatcher: new Noting(), release: (isReusable: boolean) => void released.push(isReusable) }
  const end = (): Promise<void> => Promise.resolve()
  const call = new RoutedCall({
    owner: {
      lanes: { take: () => lane, close: end, destroy: end },
      elsewhere: (_call, wasSent) => {
        asked.push(wasSent)
        return elsewhere
      },
    },
    options: { path: '/', method: 'GET' },
    target: { host: 'orders', port: undefined, defaultPort: 80, protocols: ['http'] },
    service: 'orders',
    endpoint: { ...NEXT, host: '10.0.0.1' },
    context: { ...NO_CONTEXT, tenant: 'feature-x', origin: 'request' },
    observer: {
      ...NO_OBSERVER,
      ended: ({ tenant, service, startedAt }, failed) => void counted.push({ tenant, service, startedAt, failed }),
    },
  })
  const heard: string[] = []
  call.send('http://10.0.0.1', {
    onHeaders: (status) => heard.push(`answer ${status}`) > 0,
    onComplete: () => void heard.push('complete'),
    onError: ({ message }) => void heard.push(message),
  })
  return { sent, released, asked, counted, heard, handler: () => sent.at(-1)?.handler }
}

const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
const calls = { tenant: 'feature-x', service: 'orders', startedAt: 0 }

describe('RoutedCall', () => {
  it('is sent where the service is by then when its connection fails, and counts once', () => {
    const { sent, released, counted, heard, handler } = callOf(NEXT)
    handler()?.onError?.(refused)
    expect(sent.map(({ origin }) => origin)).toEqual(['http://10.0.0.1', 'http://10.0.0.2:80'])
    expect([heard, counted]).toEqual([[], []])
    handler()?.onConnect?.(() => undefined)
    handler()?.onHeaders?.(103, [], () => undefined, '')
    handler()?.onHeaders?.(200, [], () => undefined, '')
    handler()?.onComplete?.([])
    expect(heard).toEqual(['answer 103', 'answer 200', 'complete'])
    expect(counted).toEqual([{ ...calls, failed: false }])
    expect(released).toEqual([true, true])
  })

  it('tells whether it was sent when it asks where else it may go', () => {
    const unsent = callOf(undefined)
    unsent.handler()?.onError?.(refused)
    const sent = callOf(undefined)
    sent.handler()?.onConnect?.(() => undefined)
    sent.handler()?.onError?.(refused)
    expect([unsent.asked, sent.asked]).toEqual([[false], [true]])
  })

  it('moves only once', () => {
    const { sent, counted, heard, handler } = callOf(NEXT)
    handler()?.onError?.(refused)
    handler()?.onError?.(refused)
    expect(sent).toHaveLength(2)
    expect(heard).toEqual(['refused'])
    expect(counted).toEqual([{ ...calls, failed: true }])
  })

  it('stays a failure when nothing is elsewhere, when it was answered, or when its connection was not the reason', () => {
    for (const [elsewhere, error, status] of [
      [undefined, refused, undefined],
      [NEXT, refused, 200],
      [NEXT, new Error('refused'), undefined],
    ] as const) {
      const { sent, counted, heard, released, handler } = callOf(elsewhere)
      handler()?.onConnect?.(() => undefined)
      if (status !== undefined) handler()?.onHeaders?.(status, [], () => undefined, '')
      handler()?.onError?.(error)
      expect([sent.length, counted.length, heard.at(-1), released]).toEqual([1, 1, 'refused', [false]])
    }
  })
})
