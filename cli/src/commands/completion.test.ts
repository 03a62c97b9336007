import { describe, expect, it } from 'vitest'
import { EXIT_CODES } from '../errors.js'
import { runAgainst } from '../testing/fake-servers.test-support.js'
import { featureX, run7, topologyX } from '../testing/samples.test-support.js'

const answers = {
  'GET /v1/environments': { json: { environments: [featureX, { ...featureX, name: 'feature-y' }] } },
  'GET /v1/environments/feature-x/topology': { json: topologyX },
  'GET /v1/runs?limit=20': { json: { runs: [run7] } },
}

async function candidates(...words: string[]): Promise<string[]> {
  const { stdout, stderr, status } = await runAgainst(answers, ['complete', '--', ...words])
  expect([status, stderr]).toEqual([EXIT_CODES.ok, ''])
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] ?? '']))
}

describe('what can be typed next', () => {
  it.each<[string[], string[]]>([
    [['to'], ['topology', 'tokens']],
    [
      ['env', 'w'],
      ['wait', 'wake'],
    ],
    [
      ['env', 'show', ''],
      ['feature-x', 'feature-y'],
    ],
    [['env', 'show', 'feature-x', ''], []],
    [['env', 'ls', '--js'], ['--json']],
    [
      ['env', 'show', '--output', ''],
      ['text', 'json', 'yaml'],
    ],
    [
      ['env', 'show', '--output', 'json', 'feature-'],
      ['feature-x', 'feature-y'],
    ],
    [['env', 'redeploy', 'feature-x', 'o'], ['orders']],
    [['explain', 'feature-x', '--call', 'pay'], ['payments']],
    [['runs', 'show', 'run'], ['run-7']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['comp'], ['completion']],
    [['nonsense', ''], []],
    [['exec', '--', ''], []],
  ])('after %j is %j', async (words, expected) => {
    expect(await candidates(...words)).toEqual(expected)
  })

  it('has options of the command and of every command', async () => {
    const all = await candidates('env', 'show', '--')
    expect(all).toEqual(expect.arrayContaining(['--json', '--output', '--url', '--help']))
  })

  it('is only what the commands say when no server answers', async () => {
    const fetch = () => Promise.reject(new TypeError('fetch failed'))
    const { stdout, stderr, status } = await runAgainst({}, ['complete', '--', 'env', 'show', ''], { fetch })
    expect([stdout, stderr, status]).toEqual(['', '', EXIT_CODES.ok])
  })

  it('is not shown in the help', async () => {
    expect((await runAgainst({}, ['--help'])).stdout).not.toContain('complete ')
  })
})
