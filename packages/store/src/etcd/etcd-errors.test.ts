import { status } from '@grpc/grpc-js'
import { AppError } from '@tributary/kit'
import { describe, expect, it } from 'vitest'
import type { StoreErrorCode } from '../errors.js'
import { canceledWatchError, isEndpointFailure, isStaleToken, toStoreError } from './etcd-errors.js'

function failure(code: number, details: string): Error {
  return Object.assign(new Error(`${code}: ${details}`), { code, details })
}

describe('an error of etcd', () => {
  it.each<[StoreErrorCode, number, string]>([
    ['STORE_COMPACTED', status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted'],
    ['STORE_FUTURE_REVISION', status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision is a future revision'],
    ['STORE_LEASE_NOT_FOUND', status.NOT_FOUND, 'etcdserver: requested lease not found'],
    ['STORE_FULL', status.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded'],
    ['STORE_UNAVAILABLE', status.RESOURCE_EXHAUSTED, 'etcdserver: too many requests'],
    ['STORE_TOO_LARGE', status.INVALID_ARGUMENT, 'etcdserver: request is too large'],
    ['STORE_CORRUPT', status.DATA_LOSS, 'etcdserver: corrupt cluster'],
    ['STORE_ACCESS_DENIED', status.INVALID_ARGUMENT, 'etcdserver: user name is empty'],
    ['STORE_ACCESS_DENIED', status.PERMISSION_DENIED, 'a sentence of a later version'],
    ['STORE_UNAVAILABLE', status.UNAVAILABLE, 'etcdserver: leader changed'],
    ['STORE_UNAVAILABLE', status.DEADLINE_EXCEEDED, ''],
    ['STORE_UNAVAILABLE', status.UNKNOWN, 'a sentence of a later version'],
  ])('becomes %s: status %i, "%s"', (code, grpcStatus, details) => {
    const error = toStoreError(failure(grpcStatus, details), 'do it')
    expect(error).toMatchObject({ code, retryable: code === 'STORE_UNAVAILABLE' })
    expect(error.message).toMatch(/^could not do it: /)
    expect(error.message).toContain(details)
  })

  it('is left alone when it is mapped already, and thrown when it is a defect', () => {
    const mapped = new AppError({ kind: 'internal', code: 'X', message: 'x' })
    expect(toStoreError(mapped, 'do it')).toBe(mapped)
    expect(() => toStoreError(new TypeError('a defect'), 'do it')).toThrow(TypeError)
  })

  it('of a canceled watch is known with and without its gRPC frame', () => {
    const denied = 'etcdserver: permission denied'
    expect(canceledWatchError(denied).code).toBe('STORE_ACCESS_DENIED')
    expect(canceledWatchError(`rpc error: code = PermissionDenied desc = ${denied}`).code).toBe('STORE_ACCESS_DENIED')
    expect(canceledWatchError('')).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true })
  })

  it('tells a bad member from a bad request, and an old token from a wrong password', () => {
    expect(isEndpointFailure(failure(status.UNAVAILABLE, ''))).toBe(true)
    expect(isEndpointFailure(failure(status.INVALID_ARGUMENT, ''))).toBe(false)
    expect(isEndpointFailure(new TypeError('a defect'))).toBe(false)
    expect(isStaleToken(failure(status.UNAUTHENTICATED, 'etcdserver: invalid auth token'))).toBe(true)
    expect(isStaleToken(failure(status.PERMISSION_DENIED, 'etcdserver: permission denied'))).toBe(false)
  })
})
