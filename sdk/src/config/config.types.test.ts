import { Type } from 'typebox'
import { describe, expectTypeOf, it } from 'vitest'
import { Diagnostics } from '../diagnostics.js'
import type { Immutable } from '../freeze.js'
import type { Resolution } from '../resolve/resolution.js'
import type { Tributary } from '../tributary.js'
import { ConfigStore, type Config } from './config-store.js'

const config: Config = new ConfigStore({ diagnostics: new Diagnostics(), handlerTimeoutMs: 1 })
const pool = Type.Object({ size: Type.Integer(), hosts: Type.Array(Type.String()), name: Type.Optional(Type.String()) })

describe('the types of config', () => {
  it('give unknown without a schema', () => {
    expectTypeOf(config.get('a')).toEqualTypeOf<unknown>()
    // @ts-expect-error: an unchecked value is not a number
    const size: number = config.get('a')
    expectTypeOf(size).toEqualTypeOf<number>()
  })

  it('give the schema’s type or undefined', () => {
    expectTypeOf(config.get('a', Type.Integer())).toEqualTypeOf<number | undefined>()
    expectTypeOf(config.get('a', Type.Union([Type.Literal('x'), Type.Literal('y')]))).toEqualTypeOf<
      'x' | 'y' | undefined
    >()
    // @ts-expect-error: it may be undefined
    const size: number = config.get('a', Type.Integer())
    expectTypeOf(size).toEqualTypeOf<number>()
  })

  it('give the schema’s type alone with a default of that type', () => {
    expectTypeOf(config.get('a', Type.Integer(), { default: 1 })).toEqualTypeOf<number>()
    // @ts-expect-error: the default must have the schema's type
    config.get('a', Type.Integer(), { default: 'x' })
    // @ts-expect-error: a default needs a schema
    config.get('a', undefined, { default: 1 })
  })

  it('give immutable objects', () => {
    const value = config.get('pool', pool, { default: { size: 1, hosts: [] } })
    expectTypeOf(value).toEqualTypeOf<Immutable<{ size: number; hosts: string[]; name?: string }>>()
    expectTypeOf(value.hosts).toEqualTypeOf<readonly string[]>()
    expectTypeOf(value.name).toEqualTypeOf<string | undefined>()
    const misuse = (): void => {
      // @ts-expect-error: values are shared and frozen
      value.size = 2
      // @ts-expect-error: arrays too
      value.hosts.push('x')
    }
    expectTypeOf(misuse).returns.toEqualTypeOf<void>()
  })

  it('type handlers by their schema', () => {
    config.onChange('a', (now, before) => {
      expectTypeOf(now).toEqualTypeOf<unknown>()
      expectTypeOf(before).toEqualTypeOf<unknown>()
    })
    config.onChange('a', Type.Integer(), async (now, before) => {
      expectTypeOf(now).toEqualTypeOf<number | undefined>()
      expectTypeOf(before).toEqualTypeOf<number | undefined>()
      await Promise.resolve()
    })
    // @ts-expect-error: the handler must take the schema's type
    config.onChange('a', Type.Integer(), (now: string) => void now)
    expectTypeOf(config.onChange).returns.toEqualTypeOf<() => void>()
  })

  it('keep resolutions closed', () => {
    expectTypeOf<Resolution['state']>().toEqualTypeOf<'own' | 'inherited' | 'masked' | 'missing'>()
    expectTypeOf<Resolution['url']>().toEqualTypeOf<string | undefined>()
    expectTypeOf<Tributary['urlFor']>().returns.toEqualTypeOf<string>()
    expectTypeOf<Parameters<Tributary['register']>[0]['ttlSeconds']>().toEqualTypeOf<number | undefined>()
  })
})
