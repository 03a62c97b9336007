import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseBatch, parseBlobs, parseHeads, parseWorktrees } from './git-parsers.js'

const SHA = 'a'.repeat(40)

describe('parseHeads', () => {
  test('reads every branch with its commit, whatever its name', () => {
    const names = [
      'main',
      'feature/é-✓',
      '-x',
      '--upload-pack=touch',
      'a;touch',
      '$(id)',
      '`id`',
      'a"b',
      'ü'.repeat(100),
    ]
    const output = Buffer.from(names.map((name) => `${SHA}\trefs/heads/${name}\n`).join(''))
    expect([...parseHeads(output, 'shop').branches.keys()]).toEqual(names)
  })

  test('reads an empty answer as no branches', () => {
    expect(parseHeads(Buffer.alloc(0), 'shop').branches.size).toBe(0)
  })

  test.each([
    ['a cut last line', `${SHA}\trefs/heads/main`],
    ['a cut sha', `${SHA.slice(1)}\trefs/heads/main\n`],
    ['a branch twice', `${SHA}\trefs/heads/main\n${SHA}\trefs/heads/main\n`],
    ['an empty name', `${SHA}\trefs/heads/\n`],
    ['another ref', `${SHA}\trefs/tags/v1\n`],
    ['a name with a space', `${SHA}\trefs/heads/a b\n`],
    ['an empty line', `\n`],
    ['html', '<html>502 Bad Gateway</html>\n'],
    ['an error in the middle', `${SHA}\trefs/heads/a\nfatal: died\n`],
  ])('rejects an answer with %s', (_, text) => {
    expect(() => parseHeads(Buffer.from(text), 'shop')).toThrow(expect.objectContaining({ code: 'GIT_ANSWER_INVALID' }))
  })

  test('leaves out a branch whose name is not UTF-8 and says so', () => {
    const output = Buffer.concat([
      Buffer.from(`${SHA}\trefs/heads/a\n${SHA}\trefs/heads/`),
      Buffer.from([0xff, 0xfe, 0x0a]),
    ])
    const heads = parseHeads(output, 'shop')
    expect([...heads.branches.keys()]).toEqual(['a'])
    expect(heads.unreadable).toHaveLength(1)
  })

  test('never reads a cut answer as fewer branches', () => {
    const output = Buffer.from(`${SHA}\trefs/heads/main\n${SHA}\trefs/heads/feature/x\n${SHA}\trefs/heads/y\n`)
    const lineEnds = new Set([0, 56, 117, output.length])
    fc.assert(
      fc.property(fc.integer({ min: 1, max: output.length - 1 }), (length) => {
        fc.pre(!lineEnds.has(length) && output[length - 1] !== 0x0a)
        expect(() => parseHeads(output.subarray(0, length), 'shop')).toThrow('makes no sense')
      }),
    )
  })
})

describe('parseBlobs', () => {
  test.each([
    ['a file', `100644 blob ${SHA}     12\ta b\0`, [{ path: 'a b', sha: SHA, sizeBytes: 12 }]],
    ['a program', `100755 blob ${SHA}      7\tx\0`, [{ path: 'x', sha: SHA, sizeBytes: 7 }]],
    ['a name of two lines', `100644 blob ${SHA}      7\tx\ty\nz\0`, [{ path: 'x\ty\nz', sha: SHA, sizeBytes: 7 }]],
    [
      'a file that the mirror lacks',
      `100644 blob ${SHA}     BAD\tx\0`,
      [{ path: 'x', sha: SHA, sizeBytes: Number.NaN }],
    ],
    ['a symlink', `120000 blob ${SHA}     11\tx\0`, []],
    ['a folder', `040000 tree ${SHA}       -\tx\0`, []],
    ['a submodule', `160000 commit ${SHA}       -\tx\0`, []],
    ['nothing', '', []],
  ])('reads %s', (_, text, expected) => {
    expect(parseBlobs(Buffer.from(text))).toEqual(expected)
  })
})

describe('parseBatch', () => {
  const objects = fc
    .array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 })
    .map((contents) =>
      contents.map((content, index) => ({ sha: `${index}${SHA.slice(1)}`, content: Buffer.from(content) })),
    )
  const answerOf = (all: readonly { readonly sha: string; readonly content: Buffer }[]): Buffer =>
    Buffer.concat(
      all.flatMap(({ sha, content }) => [Buffer.from(`${sha} blob ${content.length}\n`), content, Buffer.from('\n')]),
    )

  test('reads back any contents, also such that look like its own lines', () => {
    fc.assert(
      fc.property(objects, (all) => {
        expect(parseBatch(answerOf(all))).toEqual(new Map(all.map(({ sha, content }) => [sha, content])))
      }),
    )
    const tricky = [{ sha: SHA, content: Buffer.from(`\n${SHA} blob 3\nabc\n`) }]
    expect(parseBatch(answerOf(tricky))?.get(SHA)?.toString()).toBe(`\n${SHA} blob 3\nabc\n`)
  })

  test('never reads a cut answer as a whole one', () => {
    const all = [
      { sha: SHA, content: Buffer.from('one') },
      { sha: SHA.replaceAll('a', 'b'), content: Buffer.from('two') },
    ]
    const output = answerOf(all)
    const [first] = all
    const wholeFirst = first === undefined ? 0 : answerOf([first]).length
    for (let length = 1; length < output.length; length += 1)
      if (length !== wholeFirst) expect(parseBatch(output.subarray(0, length))).toBeUndefined()
  })

  test.each([`${SHA} missing\n`, `${SHA} tree 3\nabc\n`, 'gibberish\n'])('does not take %j for a blob', (text) => {
    expect(parseBatch(Buffer.from(text))).toBeUndefined()
  })
})

describe('parseWorktrees', () => {
  test('leaves out the mirror itself and tells which are half made', () => {
    const output = Buffer.from(
      `worktree /m.git\0bare\0\0worktree /a\nb\0HEAD ${SHA}\0detached\0\0worktree /c\0HEAD ${SHA}\0detached\0locked initializing\0\0`,
    )
    expect(parseWorktrees(output)).toEqual([
      { directory: '/a\nb', head: SHA, locked: undefined },
      { directory: '/c', head: SHA, locked: 'initializing' },
    ])
  })
})
