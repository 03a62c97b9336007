import type { Tenant } from '@tributary/contract'

/** Whether a tenant is a feature branch's alone, or one that others share: that decides who may change it. */
export function subjectOf({ stage }: Pick<Tenant, 'stage'>): 'feature' | 'shared' {
  return stage === 'development' ? 'feature' : 'shared'
}
