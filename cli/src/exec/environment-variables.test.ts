import { describe, expect, it } from 'vitest'
import { toEnvironmentVariables, toSnakeCase, type ProgramConfig } from './environment-variables.js'

const services: ProgramConfig['services'] = {
  'order-api': {
    state: 'own',
    endpoints: [
      { name: 'grpc', protocol: 'grpc', host: '127.0.0.1', port: 1 },
      { name: 'http', protocol: 'http', host: '127.0.0.1', port: 2 },
    ],
  },
  stock: { state: 'inherited', endpoints: [{ name: 'rpc', protocol: 'https', host: '::1', port: 3 }] },
  hidden: { state: 'masked', endpoints: [] },
}

describe('toEnvironmentVariables', () => {
  it('flattens config as its table says', () => {
    const config = {
      pageSize: 20,
      limits: { perUser: 5 },
      tags: ['a', { b: 1 }],
      on: true,
      none: null,
      empty: {},
      text: 'x y',
    }
    expect(toEnvironmentVariables({ config, services: {} }, 'CONFIG_')).toEqual({
      CONFIG_PAGE_SIZE: '20',
      CONFIG_LIMITS_PER_USER: '5',
      CONFIG_TAGS: '["a",{"b":1}]',
      CONFIG_ON: 'true',
      CONFIG_TEXT: 'x y',
    })
  })

  it('tells the address of each service that can be called', () => {
    expect(toEnvironmentVariables({ config: {}, services }, '')).toEqual({
      ORDER_API_URL: 'http://127.0.0.1:2',
      STOCK_URL: 'https://[::1]:3',
    })
  })

  it('refuses two names that become one variable', () => {
    const program = { config: { pageSize: 1, page_size: 2 }, services: {} }
    expect(() => toEnvironmentVariables(program, 'CONFIG_')).toThrow(
      /pageSize and config page_size would both become CONFIG_PAGE_SIZE/,
    )
  })
})

it.each([
  ['pageSize', 'PAGE_SIZE'],
  ['page-size', 'PAGE_SIZE'],
  ['HTTPPort', 'HTTP_PORT'],
  ['a.b/c', 'A_B_C'],
  ['x2Y', 'X2_Y'],
])('toSnakeCase turns %s into %s', (name, expected) => {
  expect(toSnakeCase(name)).toBe(expected)
})
