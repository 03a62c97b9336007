import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  DeltaFrame,
  HeartbeatFrame,
  HelloFrame,
  InstanceId,
  InstanceLease,
  ProbeAnswerShape,
  ResolvedService,
  ResumedFrame,
  RouteEntry,
  ServiceName,
  SnapshotFrame,
  StoreRevisionText,
  TenantName,
  ViewHash,
} from '@tributary/contract'
import fc from 'fast-check'
import { Type, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { describe, expect, it, test } from 'vitest'
import {
  frames,
  isChain,
  isInstanceId,
  isInstanceLease,
  isProbeAnswer,
  isResolvedService,
  isRouteEntry,
  isServiceName,
  isStoreRevision,
  isTenantItem,
  isTenantName,
  isViewHash,
} from './wire-guards.js'

const hash = 'a'.repeat(64)
const endpoint = { name: 'http', protocol: 'http', host: '10.0.0.7', port: 8080 }
const NAMES: readonly (readonly [string, (value: unknown) => boolean, TSchema])[] = [
  ['tenant', isTenantName, TenantName],
  ['service', isServiceName, ServiceName],
  ['instance', isInstanceId, InstanceId],
  ['store revision', isStoreRevision, StoreRevisionText],
  ['view hash', isViewHash, ViewHash],
]
const SHAPES: readonly (readonly [string, (value: unknown) => boolean, TSchema, unknown])[] = [
  ['chain', isChain, Type.Array(TenantName), ['feature-x', 'integration']],
  ['tenant item', isTenantItem, Type.Object({ base: Type.Union([TenantName, Type.Null()]) }), { base: 'integration' }],
  [
    'resolved service',
    isResolvedService,
    Type.Object(ResolvedService.properties),
    {
      state: 'own',
      owner: 'feature-x',
      endpoints: [endpoint],
      version: 'v1',
      commitSha: 'b'.repeat(40),
      metadata: { a: 'b' },
    },
  ],
  [
    'route entry',
    isRouteEntry,
    Type.Object(RouteEntry.properties),
    { state: 'present', endpoints: [endpoint, endpoint] },
  ],
  [
    'hello',
    frames.hello,
    Type.Object(HelloFrame.properties),
    { subscriptionId: 's', serverId: 'x', storeRevision: '7', heartbeatMs: 15_000, reconnectWindowMs: 1 },
  ],
  [
    'snapshot',
    frames.snapshot,
    Type.Object(SnapshotFrame.properties),
    { storeRevision: '0', hash, items: [{ key: 'chain', value: null }] },
  ],
  [
    'delta',
    frames.delta,
    Type.Object(DeltaFrame.properties),
    { from: '1', to: '2', hash, changes: [{ key: 'chain', value: ['x'] }] },
  ],
  ['resumed', frames.resumed, Type.Object(ResumedFrame.properties), { storeRevision: '9', hash }],
  ['heartbeat', frames.heartbeat, Type.Object(HeartbeatFrame.properties), { storeRevision: '9' }],
  ['lease', isInstanceLease, Type.Object(InstanceLease.properties), { storeRevision: '9', ttlSeconds: 1.5 }],
  [
    'probe answer',
    isProbeAnswer,
    ProbeAnswerShape,
    {
      service: 'orders',
      tenant: 'feature-x',
      instance: 'i',
      contextTenant: null,
      next: { to: 'payments', owner: null, answer: null, error: 'refused' },
    },
  ],
]

const WRONG = [null, true, 0, 1, -1, 1.5, 65_536, '', 'x', 'A b', '00', 'a'.repeat(64), 'a'.repeat(2_000), [], [1], {}]

/** Copies of a value with one place taken out or replaced, at every depth. */
function* mutants(value: unknown): Generator {
  yield* WRONG
  if (typeof value !== 'object' || value === null) return
  for (const key of Object.keys(value)) {
    const copy = (): Record<string, unknown> => structuredClone(value) as Record<string, unknown>
    if (!Array.isArray(value)) {
      const without = copy()
      delete without[key]
      yield without
    }
    for (const mutant of mutants((value as Record<string, unknown>)[key]))
      yield Object.assign(copy(), { [key]: mutant })
  }
}

describe('the guards of what comes over the wire', () => {
  test.each(SHAPES)('take and refuse the same as the contract: %s', (_name, guard, schema, sample) => {
    const contract = Compile(schema)
    expect([guard(sample), contract.Check(sample)]).toEqual([true, true])
    for (const mutant of mutants(sample)) {
      expect({ mutant, taken: guard(mutant) }).toEqual({ mutant, taken: contract.Check(mutant) })
    }
  })

  test.each(NAMES)('take and refuse the same texts as the contract: %s', (_name, guard, schema) => {
    const contract = Compile(schema)
    const texts = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[-a-z0-9.A-Z_]{0,70}$/),
      fc.stringMatching(/^[0-9a-f]{60,66}$/),
    )
    fc.assert(fc.property(texts, (text) => guard(text) === contract.Check(text)))
  })

  it('allow members that this version does not know, at every depth', () => {
    const newer = { ...endpoint, weight: 3 }
    expect(isRouteEntry({ state: 'present', endpoints: [newer], zone: 'a' })).toBe(true)
    expect(frames.delta({ from: '1', to: '2', hash, changes: [{ key: 'k', value: 1, at: 2 }], by: 'x' })).toBe(true)
  })
})

describe('importing the SDK', () => {
  it('loads no schemas: building them would take most of the time that a service needs to start', () => {
    expect(
      [...reachable(new URL('../index.ts', import.meta.url))].filter((name) => name.startsWith('typebox')),
    ).toEqual([])
  })
})

/** Names of the packages that a module and those it imports load at once. */
function reachable(entry: URL, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>()
  if (seen.has(entry.href)) return packages
  seen.add(entry.href)
  const source = readFileSync(fileURLToPath(entry), 'utf8')
  for (const [, target = ''] of source.matchAll(/^(?:import|export) (?!type\b)[^;]*?from '([^']+)'/gm)) {
    const file = sourceOf(target, entry)
    if (file === undefined) packages.add(target)
    else for (const name of reachable(file, seen)) packages.add(name)
  }
  return packages
}

function sourceOf(target: string, from: URL): URL | undefined {
  if (target.startsWith('.')) return new URL(target.replace(/\.js$/, '.ts'), from)
  const [, name, part = 'index'] = /^@tributary\/(\w+)(?:\/([\w-]+))?$/.exec(target) ?? []
  return name === undefined ? undefined : new URL(`../../../packages/${name}/src/${part}.ts`, import.meta.url)
}
