import { expect, it } from 'vitest'
import { failureIn } from './sign-in-failure.js'

it.each([
  ['signInError=OIDC_ROLE_MISSING', 'OIDC_ROLE_MISSING'],
  ['signInError=', undefined],
  ['signInError=call+this+number', undefined],
  ['signInError=<img src=x>', undefined],
  [`signInError=${'A'.repeat(80)}`, undefined],
  ['other=1', undefined],
])('%s is the failure %s', (query, code) => {
  expect(failureIn(new URLSearchParams(query))).toBe(code)
})
