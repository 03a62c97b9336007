import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { ENVIRONMENT_PHASES, LEAK_KINDS, PERSON_ROLES, PROBE_RESULTS, RUN_STATES, STAGES } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import { en } from './en.js'
import { fill } from './i18n.js'
import { zh } from './zh.js'

const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).sort()

describe('the texts of the console', () => {
  it('are there in both languages, none empty', () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort())
    for (const text of [...Object.values(en), ...Object.values(zh)]) expect(text.trim()).not.toBe('')
  })

  it('name no place in Chinese that English does not fill', () => {
    const wrong = Object.entries(en).filter(([key, text]) => {
      const allowed = new Set(places(text))
      return (
        Object.hasOwn(zh, key) &&
        places(Object.entries(zh).find(([other]) => other === key)?.[1] ?? '').some((place) => !allowed.has(place))
      )
    })
    expect(wrong).toEqual([])
  })

  it('are all used', () => {
    const source = readSources(path.resolve(import.meta.dirname, '..'))
    const prefixes = [...source.matchAll(/`([a-zA-Z]+\.[a-zA-Z.]*)\$\{/g)].map(([, prefix = '']) => prefix)
    const unused = Object.keys(en).filter(
      (key) =>
        ![key, key.replace(/\.one$/, '')].some(
          (used) => source.includes(`'${used}'`) || source.includes(`"${used}"`),
        ) && !prefixes.some((prefix) => key.startsWith(prefix)),
    )
    expect(unused).toEqual([])
  })

  it.each([
    ['phase', ENVIRONMENT_PHASES],
    ['stage', STAGES],
    ['role', PERSON_ROLES],
    ['run.state', RUN_STATES],
    ['topo.leak', LEAK_KINDS],
    ['follow.result', PROBE_RESULTS],
  ])('have a word for every %s of the API', (prefix, words) => {
    for (const word of words) expect(Object.keys(en)).toContain(`${prefix}.${word}`)
  })

  it('are filled in, and a value that is missing stays to be seen', () => {
    expect(fill('{n} of {total}', { n: 1 })).toBe('1 of {total}')
    expect(fill('{name}', { name: '{n}$&' })).toBe('{n}$&')
  })
})

/** Everything but the catalogues themselves. */
function readSources(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() && /\.tsx?$/.test(entry.name) && !/^(en|zh)(-config)?\.ts$|\.test\.ts$/.test(entry.name),
    )
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')
}
