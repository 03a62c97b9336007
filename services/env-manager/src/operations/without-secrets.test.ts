import { describe, expect, it } from 'vitest'
import { withoutSecrets } from './without-secrets.js'

describe('withoutSecrets', () => {
  it('replaces every occurrence of every secret', () => {
    expect(withoutSecrets('a s3cret b s3cret, t0ken', ['s3cret', 't0ken'])).toBe('a [secret] b [secret], [secret]')
  })

  it('replaces a line of a secret with several lines, but not its short ones', () => {
    const key = '-----BEGIN\nMIIEvQIBADANBg\nend\n'
    expect(withoutSecrets('read MIIEvQIBADANBg until the end', [key])).toBe('read [secret] until the end')
  })

  it('leaves a text alone when a secret is empty', () => {
    expect(withoutSecrets('text', ['', '\n'])).toBe('text')
  })
})
