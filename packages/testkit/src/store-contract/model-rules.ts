import type { Compare, KeySelector, Mutation, RevisionedStore, TransactRequest } from '@tributary/store'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StoreUnderTest } from './harness.js'
import { matches, ModelStore } from './model-store.js'
import { changes, replay } from './store-actions.js'

interface CompareStep {
  readonly select: KeySelector
  readonly target: Compare['target']
  readonly op: Compare['op']
  /** Compared with the key's own value moved by this much: random revisions would hardly ever meet. */
  readonly offset: bigint
}

interface Step {
  readonly compares: readonly CompareStep[]
  readonly mutations: readonly Mutation[]
}

// Few, short keys that meet often, from characters at the edges of the encodings.
const key = fc.string({
  unit: fc.constantFrom('a', '/', '\0', 'é', '\ue000', '\uffff', '\u{10000}', '😀'),
  minLength: 1,
  maxLength: 2,
})
const prefix = fc.oneof(fc.constant(''), key)
const value = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 4 }), fc.constantFrom('', '\0', 'x'.repeat(5_000)))
const select: fc.Arbitrary<KeySelector> = fc.oneof(fc.record({ key }), fc.record({ prefix }))
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('put' as const), key, value }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), select }) },
)
const compare: fc.Arbitrary<CompareStep> = fc.record({
  select,
  target: fc.constantFrom('modRevision', 'createRevision', 'version'),
  op: fc.constantFrom('=', '!=', '<', '<=', '>', '>='),
  offset: fc.constantFrom(-1n, 0n, 1n),
})
const step: fc.Arbitrary<Step> = fc.record({
  compares: fc.array(compare, { maxLength: 2 }),
  mutations: fc.array(mutation, { maxLength: 5 }).map(writtenOnce),
})

/** Random transactions against a model that is obviously right. */
export function modelRules(test: StoreUnderTest): void {
  describe('a random sequence of transactions', () => {
    it('leaves the same results, keys, past and events as the model', async () => {
      let run = 0
      const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
        run += 1
        await compareWithModel(test.store, { steps, root: `run-${run}/` })
      })
      await expect(fc.assert(property, { numRuns: 60 })).resolves.toBeUndefined()
    })
  })
}

async function compareWithModel(
  store: RevisionedStore,
  { steps, root }: { steps: readonly Step[]; root: string },
): Promise<void> {
  const start = await store.currentRevision()
  const model = new ModelStore(start)
  for (const step of steps) {
    const request = requestOf(step, { model, root })
    expect(await store.transact(request)).toEqual(model.transact(request))
  }
  for (let revision = start; revision <= model.revision; revision++) {
    const { entries } = await store.range({ select: { prefix: root }, atRevision: revision })
    expect(entries).toEqual(model.range({ prefix: root }, revision))
  }
  const delivered = await watched(store, { model, root, start })
  expect(changes(delivered)).toEqual(changes(model.batches))
}

async function watched(
  store: RevisionedStore,
  { model, root, start }: { model: ModelStore; root: string; start: bigint },
) {
  if (model.revision === start) return []
  return replay(store, { prefix: root }, { after: start, upTo: model.revision })
}

function requestOf(step: Step, { model, root }: { model: ModelStore; root: string }): TransactRequest {
  const under = (selector: KeySelector): KeySelector =>
    'key' in selector ? { key: root + selector.key } : { prefix: root + selector.prefix }
  const compares = step.compares.map(({ select: selector, target, op, offset }) => {
    const actual = model.range(under(selector))[0]?.[target] ?? 0n
    return { select: under(selector), target, op, value: actual + offset < 0n ? 0n : actual + offset }
  })
  const mutations = step.mutations.map((mutation): Mutation =>
    mutation.kind === 'put'
      ? { ...mutation, key: root + mutation.key }
      : { ...mutation, select: under(mutation.select) },
  )
  return { compares, mutations }
}

/** Drops what a transaction must not hold: a second put of a key, and deletes of keys that it puts. */
function writtenOnce(mutations: readonly Mutation[]): Mutation[] {
  const puts = new Map(mutations.flatMap((each) => (each.kind === 'put' ? [[each.key, each] as const] : [])))
  const deletes = mutations.filter(
    (each) => each.kind === 'delete' && ![...puts.keys()].some((put) => matches(each.select, put)),
  )
  return [...puts.values(), ...deletes]
}
