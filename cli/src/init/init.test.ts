import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parsePlatformConfig, parseServiceFile } from '@tributary/env-manager'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EXIT_CODES } from '../errors.js'
import { runCli } from '../program.js'
import { fakeRuntime } from '../testing/fake-runtime.test-support.js'
import { propose, repositoryNameOf, serviceNameOf } from './answers.js'
import { renderPlatformFile, renderServiceFile } from './render-files.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-init-'))
})

afterEach(() => rm(folder, { recursive: true }))

async function init(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const fake = fakeRuntime({ cwd: folder })
  const status = await runCli(['init', ...args], fake.runtime)
  return { status, stdout: fake.stdout(), stderr: fake.stderr() }
}

const put = (name: string, text: string) => writeFile(join(folder, name), text)
const read = (name: string) => readFile(join(folder, name), 'utf8')

describe('tributary init', () => {
  it('proposes what package.json, Dockerfile and git say, and writes files that the platform reads', async () => {
    await put('package.json', '{ "name": "@shop/Orders_API", "scripts": { "start": "node server.js" } }')
    await put('Dockerfile', 'FROM node:20\nEXPOSE 3000\nCMD ["node", "server.js"]\n')
    const git = promisify(execFile)
    await git('git', ['-C', folder, 'init', '--initial-branch', 'develop'])
    await git('git', ['-C', folder, 'remote', 'add', 'origin', 'https://user:token@git.example.org/team/shop.git'])
    const { status, stdout } = await init('--depends-on', 'inventory', 'payments', '--readiness', '/readyz')
    expect(status).toBe(EXIT_CODES.ok)
    expect(stdout).toBe(
      'wrote service.yaml\nwrote tributary.config.yaml\nCommit and push service.yaml, then: tributary up\n',
    )
    expect(parseServiceFile('service.yaml', await read('service.yaml')).services[0]?.definition).toEqual({
      apiVersion: 'tributary/v1',
      kind: 'Service',
      name: 'orders-api',
      ports: [{ name: 'http', protocol: 'http', port: 3000 }],
      dependsOn: ['inventory', 'payments'],
      health: { readiness: '/readyz' },
      run: { image: 'registry.example/orders-api:{version}', local: { command: 'npm start' } },
    })
    const platform = parsePlatformConfig('p.yaml', await read('tributary.config.yaml'))
    expect('config' in platform && platform.config.repositories).toEqual([
      { name: 'shop', url: 'https://git.example.org/team/shop.git', integrationBranch: 'develop' },
    ])
  })

  it('says what it needs when nobody can be asked', async () => {
    const { status, stderr } = await init('--yes')
    expect(status).toBe(EXIT_CODES.usage)
    expect(stderr).toContain('name it with --repository')
    expect(existsSync(join(folder, 'service.yaml'))).toBe(false)
  })

  it('writes nothing that could not be used, and says what is wrong with it', async () => {
    const { status, stderr } = await init(
      '--repository',
      '/git/shop.git',
      '--port',
      '99999999',
      '--readiness',
      'readyz',
    )
    expect(status).toBe(EXIT_CODES.usage)
    expect(stderr).toMatch(/nothing was written.*service\.yaml:\d+:\d+.*port/)
    expect(existsSync(join(folder, 'tributary.config.yaml'))).toBe(false)
  })

  it('leaves files that are there, unless it is told otherwise', async () => {
    await put('service.yaml', 'mine')
    const { stdout, stderr } = await init('--repository', '/git/shop.git')
    expect([await read('service.yaml'), stdout.includes('wrote tributary.config.yaml')]).toEqual(['mine', true])
    expect(stderr).toContain('service.yaml is there already')
    await init('--repository', '/git/shop.git', '--force')
    expect(await read('service.yaml')).toContain('kind: Service')
  })

  it('says when it cannot write', async () => {
    const { status, stderr } = await init('no/such/folder', '--repository', '/git/shop.git')
    expect([status, stderr.includes('cannot write')]).toEqual([EXIT_CODES.conflict, true])
  })
})

describe('what is proposed', () => {
  const found = {
    folderName: 'Orders API!',
    packageName: undefined,
    startScript: undefined,
    exposedPort: undefined,
    imageCommand: undefined,
    hasDockerfile: false,
    origin: 'git@git.example.org:team/shop.git',
    defaultBranch: undefined,
  }

  it('is always something that the platform can use', () => {
    const answers = propose({}, found)
    expect(parseServiceFile('service.yaml', renderServiceFile(answers)).broken).toEqual([])
    expect('config' in parsePlatformConfig('p.yaml', renderPlatformFile(answers))).toBe(true)
    expect(answers).toMatchObject({
      service: 'orders-api',
      port: 8080,
      command: 'node server.js',
      integrationBranch: 'main',
    })
  })

  it.each([
    ['@shop/Orders_API', 'orders-api'],
    ['--', 'service'],
    ['x'.repeat(100), 'x'.repeat(63)],
  ])('for the name %s is %s', (text, name) => {
    expect(serviceNameOf(text)).toBe(name)
  })

  it.each([
    ['https://git.example.org/team/Shop.git', 'shop'],
    ['git@git.example.org:team/shop.git', 'shop'],
    ['/srv/git/shop/', 'shop'],
  ])('for the repository %s is %s', (url, name) => {
    expect(repositoryNameOf(url)).toBe(name)
  })
})
