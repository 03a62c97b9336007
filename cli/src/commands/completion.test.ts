import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completionScript } from '../completion/scripts.js'
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

/** Debian keeps shells there; one that is not installed is skipped, and the name of the test says which. */
const shellAt = (name: string): string | undefined =>
  ['/usr/bin', '/bin'].map((folder) => join(folder, name)).find(existsSync)

describe('the scripts in real shells', () => {
  let folder: string
  const run = promisify(execFile)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-completion-'))
    const stub = join(folder, 'tributary')
    // It stands for the program: what it is asked is told back as the only candidate.
    await writeFile(stub, '#!/bin/sh\nprintf "%s\\tasked\\n" "$*" "feature-x"\n')
    await chmod(stub, 0o755)
  })

  afterAll(() => rm(folder, { recursive: true }))

  const environment = () => ({ ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` })

  it.skipIf(shellAt('bash') === undefined)('bash asks with the words so far and offers the answers', async () => {
    const script = `${completionScript('bash')}
      COMP_WORDS=(tributary env show feat); COMP_CWORD=3; _tributary
      printf '%s\\n' "\${COMPREPLY[@]}"
      COMP_WORDS=(tributary ""); COMP_CWORD=1; _tributary
      printf '%s\\n' "\${COMPREPLY[0]}"
      complete -p tributary`
    const { stdout } = await run('bash', ['--norc', '-c', script], { env: environment() })
    expect(stdout.split('\n')).toEqual([
      'complete -- env show feat',
      'feature-x',
      'complete -- ',
      'complete -o default -F _tributary tributary',
      '',
    ])
  })

  it.skipIf(shellAt('zsh') === undefined)('zsh reads the script without an error', async () => {
    const script = `autoload -U compinit; compinit -u -d ${join(folder, 'dump')}; ${completionScript('zsh')}; echo $_comps[tributary]`
    const { stdout } = await run('zsh', ['-f', '-c', script], { env: environment() })
    expect(stdout.trim()).toBe('_tributary')
  })

  it.skipIf(shellAt('fish') === undefined)('fish offers the answers', async () => {
    const script = `${completionScript('fish')}\ncomplete -C 'tributary env show feat'`
    const { stdout } = await run('fish', ['--no-config', '-c', script], { env: environment() })
    expect(stdout).toContain('feature-x')
  })
})
