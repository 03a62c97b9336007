import { describe, expect, test } from 'vitest'
import { commandWords } from './command-line.js'

describe('commandWords', () => {
  test.each([
    ['node server.js', ['node', 'server.js']],
    [`  node  "a b"  'c "d"' e"f g"h ""`, ['node', 'a b', 'c "d"', 'ef gh', '']],
    ['run --tag={version} {version}{version}', ['run', '--tag=v1.2-3-abc', 'v1.2-3-abcv1.2-3-abc']],
    ['node $HOME * ~ `id` $(id)', ['node', '$HOME', '*', '~', '`id`', '$(id)']],
  ])('splits %j without a shell', (text, words) => {
    expect(commandWords(text, 'v1.2-3-abc', 'command')).toEqual(words)
  })

  test.each(['', '   ', '""', 'a && b', 'a | b', 'a > b', 'a ; b', 'a &'])('refuses %j', (text) => {
    expect(() => commandWords(text, 'v0.0-1-a', 'run.local.command')).toThrow(
      expect.objectContaining({
        code: 'PLATFORM_COMMAND_INVALID',
        message: expect.stringContaining('run.local.command'),
      }),
    )
  })

  test('does not split a version', () => {
    expect(commandWords('echo {version}', 'a b', 'command')).toEqual(['echo', 'a b'])
  })
})
