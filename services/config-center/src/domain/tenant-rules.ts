import { INTEGRATION_TENANT, MAX_CHAIN_LENGTH, STAGES, type Stage, type TenantSpec } from '@tributary/contract'
import { failure } from '../errors.js'
import type { CatalogDraft, TenantValue } from './catalog-draft.js'

/** Longest name of a tenant's label. */
const MAX_LABEL_NAME = 63

/** Stages of which nothing ever falls back to another environment. */
const ROOT_STAGES: ReadonlySet<Stage> = new Set<Stage>(['performance', 'prerelease', 'production'])

/**
 * The tenant that a spec describes. It depends on the spec alone, never on what was there before:
 *
 * | left out | becomes |
 * | --- | --- |
 * | `stage` | the stage of the tenant's name, if it has one's name; else `development` |
 * | `base` | `integration` for the stage development; none for every other |
 * | `labels` | none |
 *
 * @throws AppError `INVALID_TENANT` when a root is given a base, or a stage's tenant another stage.
 */
export function tenantOfSpec(name: string, spec: TenantSpec): TenantValue {
  const named = STAGES.find((stage) => stage === name)
  const stage = spec.stage ?? named ?? 'development'
  if (named !== undefined && stage !== named) {
    throw failure(
      'INVALID_TENANT',
      `The tenant ${name} belongs to the stage ${named}, not ${stage}; leave the stage out.`,
      {
        details: { tenant: name, stage },
      },
    )
  }
  const base = spec.base === undefined ? defaultBase(stage) : spec.base
  if (base !== null && (name === INTEGRATION_TENANT || ROOT_STAGES.has(stage))) {
    throw failure('INVALID_TENANT', `The tenant ${name} is a root and cannot overlay ${base}; set base to null.`, {
      details: { tenant: name, stage, base },
    })
  }
  return { base, stage, labels: checkedLabels(name, spec.labels ?? {}) }
}

// The schema bounds values and number; JSON schema's `additionalProperties` says nothing of a name's length.
function checkedLabels(tenant: string, labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const long = Object.keys(labels).find((label) => label.length > MAX_LABEL_NAME)
  if (long === undefined) return labels
  throw failure(
    'INVALID_TENANT',
    `A label of the tenant ${tenant} has a name of ${long.length} characters; at most ${MAX_LABEL_NAME} are taken.`,
    { details: { tenant, maxLength: MAX_LABEL_NAME } },
  )
}

/**
 * Checks the chains of every tenant that the draft touched, and of all that overlay those.
 * @throws AppError `BASE_NOT_FOUND`, `TENANT_CYCLE`, `CHAIN_TOO_LONG`
 */
export function checkChains(draft: CatalogDraft): void {
  const moved = draft.tenantSlots().filter((slot) => slot.after !== null && slot.before?.base !== slot.after.base)
  for (const slot of moved) checkSubtree(draft, slot.name, draftChain(draft, slot.name).length)
}

/** The chain of a tenant in the draft, nearest first. @throws AppError `BASE_NOT_FOUND`, `TENANT_CYCLE` */
export function draftChain(draft: CatalogDraft, tenant: string): readonly string[] {
  const chain = [tenant]
  for (let base = draft.findTenant(tenant)?.base ?? null; base !== null; base = draft.findTenant(base)?.base ?? null) {
    const details = { tenant, base, chain: [...chain] }
    if (chain.includes(base)) {
      const loop = [...chain, base].join(' > ')
      throw failure('TENANT_CYCLE', `The tenant ${tenant} cannot overlay ${base}: ${loop} is a cycle.`, { details })
    }
    if (draft.findTenant(base) === undefined) {
      throw failure(
        'BASE_NOT_FOUND',
        `The tenant ${tenant} cannot overlay ${base}, which does not exist; create it first.`,
        {
          details,
        },
      )
    }
    chain.push(base)
  }
  return chain
}

function checkSubtree(draft: CatalogDraft, tenant: string, length: number): void {
  if (length > MAX_CHAIN_LENGTH) {
    const chain = draftChain(draft, tenant)
    throw failure(
      'CHAIN_TOO_LONG',
      `The chain ${chain.join(' > ')} has ${chain.length} tenants; at most ${MAX_CHAIN_LENGTH} may overlay each other.`,
      { details: { tenant, chain, maxLength: MAX_CHAIN_LENGTH } },
    )
  }
  for (const dependent of draft.dependents(tenant)) checkSubtree(draft, dependent, length + 1)
}

function defaultBase(stage: Stage): string | null {
  return stage === 'development' ? INTEGRATION_TENANT : null
}
