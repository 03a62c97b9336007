import { expect, it } from 'vitest'
import { mergeKeepingNulls } from './merge-keeping-nulls.js'

it('stores null where a merge patch would remove, and keeps everything else', () => {
  const before = { pageSize: 20, limits: { perUser: 5, total: 9 }, tags: ['a'] }
  expect(mergeKeepingNulls(before, { limits: { perUser: null }, tags: null, extra: { deep: null } })).toEqual({
    pageSize: 20,
    limits: { perUser: null, total: 9 },
    tags: null,
    extra: { deep: null },
  })
  expect(before.limits.perUser).toBe(5)
})
