// node tools/record-terminal.mjs: plays the main flows of the command line on a real platform and a real repository, and writes what a terminal
// shows to docs/reference/terminal.md. With --check it compares instead. What differs from run to run (ids, times, ports) is made the same.
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root } from './lib/prepare.mjs'

const cli = path.join(root, 'cli/bin/tributary.mjs')
const document = path.join(root, 'docs/reference/terminal.md')
const folder = mkdtempSync(path.join(tmpdir(), 'tributary-recording-'))
const START_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 30_000

/** The same author and moment each time make the same commits. */
const git = (args, cwd) =>
  execFileSync('git', args, {
    cwd,
    stdio: 'pipe',
    env: {
      ...process.env,
      GIT_AUTHOR_NAME: 'jane',
      GIT_AUTHOR_EMAIL: 'jane@example.org',
      GIT_COMMITTER_NAME: 'jane',
      GIT_COMMITTER_EMAIL: 'jane@example.org',
      GIT_AUTHOR_DATE: '2026-01-02T12:00:00Z',
      GIT_COMMITTER_DATE: '2026-01-02T12:00:00Z',
    },
  })

const SERVER = `import { createServer } from 'node:http'
createServer((_, response) => response.end('hello')).listen(process.env.PORT)
`
const service = (name, more = '') =>
  `apiVersion: tributary/v1\nkind: Service\nname: ${name}\nports: [{ name: http, protocol: http, port: 8080 }]\nrun: { local: { command: node server.mjs } }\n${more}`

/** A bare repository with two services, and a clone to work in. */
function makeRepository() {
  const clone = path.join(folder, 'clone')
  git(['init', '--quiet', '--bare', '--initial-branch', 'main', 'shop.git'], folder)
  git(['clone', '--quiet', 'shop.git', 'clone'], folder)
  for (const [name, more] of [['orders'], ['web', 'dependsOn: [orders]\n']]) {
    mkdirSync(path.join(clone, name))
    writeFileSync(path.join(clone, name, 'server.mjs'), SERVER)
    writeFileSync(path.join(clone, name, 'service.yaml'), service(name, more))
  }
  git(['checkout', '--quiet', '-B', 'main'], clone)
  git(['add', '.'], clone)
  git(['commit', '--quiet', '-m', 'a shop'], clone)
  git(['push', '--quiet', 'origin', 'main'], clone)
  return clone
}

function pushBranch(clone) {
  git(['checkout', '--quiet', '-b', 'feature/button'], clone)
  writeFileSync(path.join(clone, 'orders', 'server.mjs'), `// a button\n${SERVER}`)
  git(['commit', '--quiet', '-a', '-m', 'a button'], clone)
  git(['push', '--quiet', 'origin', 'feature/button'], clone)
}

/** Resolves once `tributary up` says that it runs. */
async function startPlatform() {
  const url = path.join(folder, 'shop.git')
  const config = `apiVersion: tributary/v1\nkind: Platform\nrepositories: [{ name: shop, url: ${url} }]\npollSeconds: 1\n`
  writeFileSync(path.join(folder, 'tributary.config.yaml'), config)
  const ports = ['--port', '0', '--env-manager-port', '0', '--gateway-port', '0']
  const up = spawn(process.execPath, [cli, 'up', ...ports], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve, reject) => {
    let text = ''
    const timer = setTimeout(() => reject(new Error(`the platform did not start:\n${text}`)), START_TIMEOUT_MS)
    up.once('exit', (status) => reject(new Error(`the platform ended with status ${status}:\n${text}`)))
    up.stdout.on('data', (chunk) => {
      text += chunk
      if (!text.includes('Tributary is running')) return
      clearTimeout(timer)
      resolve()
    })
  })
  return up
}

async function stopPlatform(up) {
  const ended = new Promise((resolve) => up.once('exit', resolve))
  const timer = setTimeout(() => up.kill('SIGKILL'), STOP_TIMEOUT_MS)
  up.kill('SIGINT')
  await ended
  clearTimeout(timer)
}

/** What a terminal shows of one command: results only, as a pipe would get them. */
function show(line) {
  const [, ...args] = line.split(' ')
  const options = { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }
  const stdout = execFileSync(process.execPath, [cli, ...args], options)
  return `$ ${line}\n${stdout}`
}

/** Ids, times and revisions as dots, ports as they usually are. */
function steady(text) {
  const context = JSON.parse(readFileSync(path.join(folder, '.tributary/context.json'), 'utf8'))
  const portOf = (url) => new URL(url).port
  return text
    .replaceAll(/\b[0-9a-z]{9}-[0-9a-f]{8}\b/g, 'run-…')
    .replaceAll(`:${portOf(context.gatewayUrl)}`, ':7480')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:…')
    .replaceAll(/\b\d+(\.\d+)? (ms|s|min)\b/g, '… s')
    .replaceAll(/\bjust now\b/g, '… s ago')
    .replaceAll(/\brevision( +)\d+/g, 'revision$1…')
    .replaceAll(/\beffective( +)\d+/g, 'effective$1…')
    .replaceAll(/ {2,}/g, '  ')
}

const STORY = [
  {
    says: 'A branch is pushed; its environment has its own `orders` and falls back for everything else.',
    lines: [
      'tributary env wait feature-button --timeout 2m',
      'tributary topology feature-button',
      'tributary explain feature-button --call web',
    ],
  },
  {
    says: 'A value is changed for this environment alone, and explained.',
    lines: [
      'tributary config set feature-button orders pageSize=5',
      'tributary config explain feature-button orders pageSize',
    ],
  },
  {
    says: 'Nobody needs it for a while; then somebody does.',
    lines: [
      'tributary env sleep feature-button',
      'tributary env wake feature-button',
      'tributary env wait feature-button --timeout 2m',
    ],
  },
  {
    says: 'Who did what; then it goes, with a proof.',
    lines: ['tributary audit feature-button', 'tributary env delete feature-button --wait 2m'],
  },
]

async function record() {
  const clone = makeRepository()
  const up = await startPlatform()
  try {
    show('tributary env wait integration --timeout 2m')
    pushBranch(clone)
    const parts = STORY.map(({ says, lines }) => `${says}\n\n\`\`\`\n${lines.map(show).join('\n')}\`\`\`\n`)
    return steady(parts.join('\n'))
  } finally {
    await stopPlatform(up)
  }
}

try {
  const head = `# In the terminal\n\n<!-- Played on a real platform by \`node tools/record-terminal.mjs\`. Do not edit. Ids, times, ports and widths of columns are made the same. -->\n\n`
  const text = head + (await record())
  if (!process.argv.includes('--check')) {
    writeFileSync(document, text)
    console.log('wrote docs/reference/terminal.md')
  } else if (readFileSync(document, 'utf8') !== text) {
    console.error(`docs/reference/terminal.md is stale; run: node tools/record-terminal.mjs\n\n${text}`)
    process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
