import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changedServices } from './changed-services.js'
import { isWithin, resolveInRepository } from './repository-path.js'
import { joinServiceFiles, parseServiceFile } from './service-definition.js'

const file = (path: string, name: string, more = ''): ReturnType<typeof parseServiceFile> =>
  parseServiceFile(path, `apiVersion: tributary/v1\nkind: Service\nname: ${name}\n${more}`)
const catalog = joinServiceFiles([
  file('orders/service.yaml', 'orders'),
  file('orders/worker/service.yaml', 'worker', 'paths: [shared/lib, root.txt]\n'),
  file('payments/service.yaml', 'payments'),
  parseServiceFile('broken/service.yaml', 'kind: Service\n'),
])
const changed = (...paths: string[]): readonly string[] =>
  changedServices(catalog, paths).services.map(({ definition }) => definition.name)

describe('changedServices', () => {
  it.each([
    ['a file of a service', ['orders/a.js'], ['orders']],
    ['the definition itself', ['orders/service.yaml'], ['orders']],
    ['a file of a nested service, which is not its parent’s', ['orders/worker/x/y.js'], ['worker']],
    ['a folder that only begins alike', ['orders-old/a.js'], []],
    ['what `paths` names', ['shared/lib/deep/a.js'], ['worker']],
    ['a single file that `paths` names', ['root.txt'], ['worker']],
    ['a file of nobody', ['README.md'], []],
    ['tributary.yaml', ['tributary.yaml'], []],
    ['nothing', [], []],
  ])('finds the services of %s', (_name, paths, expected) => {
    expect(changed(...paths)).toEqual(expected)
  })

  it('finds broken definitions only where something changed', () => {
    expect(changedServices(catalog, ['broken/a']).broken).toHaveLength(1)
    expect(changedServices(catalog, ['orders/a']).broken).toHaveLength(0)
  })

  it('gives a service in the root what no deeper service has, but not tributary.yaml', () => {
    const root = joinServiceFiles([file('service.yaml', 'root'), file('a/service.yaml', 'a')])
    const names = (path: string): readonly string[] =>
      changedServices(root, [path]).services.map(({ definition }) => definition.name)
    expect(names('src/x.js')).toEqual(['root'])
    expect(names('a/x.js')).toEqual(['a'])
    expect(names('tributary.yaml')).toEqual([])
  })

  it('finds for several paths what it finds for each', () => {
    const path = fc.constantFrom(
      'orders/a',
      'orders/worker/b',
      'payments/c',
      'shared/lib/d',
      'README.md',
      'tributary.yaml',
    )
    fc.assert(
      fc.property(fc.array(path, { maxLength: 6 }), (paths) => {
        expect(new Set(changed(...paths))).toEqual(new Set(paths.flatMap((one) => changed(one))))
      }),
    )
  })
})

describe('resolveInRepository', () => {
  it('never leaves the repository, whatever the path', () => {
    const step = fc.constantFrom('..', '.', 'a', 'b', '', '...', '..a')
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.constantFrom('', 'x', 'x/y'), (steps, folder) => {
        const resolved = resolveInRepository(folder, steps.join('/'))
        if (resolved !== undefined) expect(resolved.split('/')).not.toContain('..')
      }),
    )
  })

  it.each(['/a', 'a\\b', 'a\u0000b', 'a\nb', '..', '../x', 'a/../../b'])('refuses %j', (path) => {
    expect(resolveInRepository('', path)).toBeUndefined()
  })

  it('resolves relative to a folder, and says what lies within', () => {
    expect(resolveInRepository('a/b', '../c/')).toBe('a/c')
    expect(resolveInRepository('a', '..')).toBe('')
    expect([isWithin('', 'x'), isWithin('a', 'a/b'), isWithin('a', 'a'), isWithin('a', 'ab')]).toEqual([
      true,
      true,
      true,
      false,
    ])
  })
})
