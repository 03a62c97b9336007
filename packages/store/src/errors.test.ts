import { ERROR_KINDS } from '@tributary/kit'
import { describe, expect, it } from 'vitest'
import { STORE_ERRORS, storeError, type StoreErrorCode } from './errors.js'

const codes = Object.keys(STORE_ERRORS) as StoreErrorCode[]

describe('the error catalogue', () => {
  it.each(codes)('gives %s a known kind and a description', (code) => {
    expect(code).toMatch(/^STORE_[A-Z_]+$/)
    expect(ERROR_KINDS).toContain(STORE_ERRORS[code].kind)
    expect(STORE_ERRORS[code].description).toMatch(/\.$/)
    expect(storeError(code, 'a message')).toMatchObject({ code, kind: STORE_ERRORS[code].kind, message: 'a message' })
  })

  it('lets only an unreachable store be tried again', () => {
    expect(codes.filter((code) => storeError(code, '').retryable)).toEqual(['STORE_UNAVAILABLE'])
  })
})
