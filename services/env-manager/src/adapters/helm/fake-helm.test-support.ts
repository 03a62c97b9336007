import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a call of the program looked like from inside. */
export interface FakeCall {
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly input: string
}

/** How the program answers a command (`upgrade`, `history`, …): a function of the number of earlier calls of that command, as source text. */
export type FakeAnswers = Readonly<Record<string, string>>

/**
 * A program in the place of helm that writes down how it was called, and answers as it is told. An answer is the body of a function of `n`, the number
 * of earlier calls of that command, that returns `{ stdout?, stderr?, status? }`. It may call `count(command)`, the calls by now, its own included.
 */
export class FakeHelm implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  static async create(version: string, answers: FakeAnswers): Promise<FakeHelm> {
    const folder = await mkdtemp(join(tmpdir(), 'tributary-fake-helm-'))
    const facts = JSON.stringify({ kubeVersion: 'v1.28.3', apiVersions: ['v1', 'apps/v1'] })
    const all: FakeAnswers = {
      version: `return { stdout: ${JSON.stringify(version)} }`,
      install: `return { stdout: ${JSON.stringify(JSON.stringify({ info: { notes: facts } }))} }`,
      template: `return { stdout: 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: { name: a }\\n' }`,
      ...answers,
    }
    const cases = Object.entries(all).map(([command, body]) => `${JSON.stringify(command)}: (n) => { ${body} }`)
    const source = `#!${process.execPath}
const { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const file = ${JSON.stringify(join(folder, 'calls'))}
const [command] = process.argv.slice(2)
const lines = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\\n').filter(Boolean) : [])
const count = (name) => lines().filter((line) => JSON.parse(line).args[0] === name).length
const earlier = count(command)
const input = process.argv.includes('-') ? readFileSync(0, 'utf8') : ''
appendFileSync(file, JSON.stringify({ args: process.argv.slice(2), environment: process.env, input }) + '\\n')
const answers = { ${cases.join(',\n')} }
const { stdout = '', stderr = '', status = 0 } = answers[command](earlier) ?? {}
process.stdout.write(stdout)
process.stderr.write(stderr)
process.exitCode = status
`
    await writeFile(join(folder, 'helm.cjs'), source, { mode: 0o755 })
    return new FakeHelm(folder)
  }

  get path(): string {
    return join(this.folder, 'helm.cjs')
  }

  /** Calls so far, of one command or of all. */
  async calls(command?: string): Promise<FakeCall[]> {
    const text = await readFile(join(this.folder, 'calls'), 'utf8').catch(() => '')
    const all = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line): FakeCall => JSON.parse(line))
    return all.filter(({ args }) => command === undefined || args[0] === command)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}
