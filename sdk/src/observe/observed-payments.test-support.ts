import { TableRouting } from '../context/routing.js'
import type { Tributary } from '../tributary.js'
import { ProcessObserver } from './process-observer.js'

/**
 * Observes a client's process as that of `integration/payments`, of which `feature-x` has a copy of its own. Reports nothing: what is
 * counted stays in the observer's counter.
 */
export function observePayments({ routing }: Pick<Tributary, 'routing'>): ProcessObserver {
  const observer = new ProcessObserver({
    service: 'payments',
    tenant: 'integration',
    ownerFor: (tenant) => (tenant === 'feature-x' ? 'feature-x' : 'integration'),
    ownStamp: () => undefined,
    monotonicMs: () => performance.now(),
    onCounted: () => undefined,
    onLeak: () => undefined,
  })
  if (!(routing instanceof TableRouting)) throw new Error('the client has another routing')
  routing.observer = observer
  return observer
}
