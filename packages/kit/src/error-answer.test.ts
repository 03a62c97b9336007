import { describe, expect, it } from 'vitest'
import { AppError, ERROR_KINDS, type ErrorKind } from './app-error.js'
import { errorAnswer } from './error-answer.js'

const errorOf = (kind: ErrorKind): AppError =>
  new AppError({ kind, code: 'SOME_CODE', message: 'what happened', details: { field: 'x' } })

describe('errorAnswer', () => {
  it.each(ERROR_KINDS)('answers %s with a status of a failure, and with code and kind as they are', (kind) => {
    const { status, body } = errorAnswer(errorOf(kind), 'req-1')
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(600)
    expect(body.error).toMatchObject({ kind, code: 'SOME_CODE' })
  })

  it('says when to come back, and how to authenticate', () => {
    expect(errorAnswer(errorOf('unavailable'), 'r')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    expect(errorAnswer(errorOf('resource_exhausted'), 'r')).toMatchObject({
      status: 429,
      headers: { 'retry-after': '1' },
    })
    expect(errorAnswer(errorOf('unauthenticated'), 'r').headers).toEqual({ 'www-authenticate': 'Bearer' })
    expect(errorAnswer(errorOf('not_found'), 'r').headers).toEqual({})
  })

  it('tells everything but of a bug only where to look for it', () => {
    expect(errorAnswer(errorOf('conflict'), 'r').body.error).toMatchObject({
      message: 'what happened',
      details: { field: 'x' },
    })
    const { error } = errorAnswer(errorOf('internal'), 'req-1').body
    expect([error.details, JSON.stringify(error).includes('what happened')]).toEqual([{ requestId: 'req-1' }, false])
    expect(error.message).toContain('req-1')
  })
})
