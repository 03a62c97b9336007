import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { WebSocket } from 'undici'
import { waitFor } from './wait-for.js'

/** What tests in Firefox need on the machine. */
export const FIREFOX = { command: 'firefox-esr', debianPackage: 'firefox-esr' } as const

interface Answer {
  readonly id?: number
  readonly type: string
  readonly result?: unknown
  readonly message?: string
}

/** Notes what goes wrong in a page before anything of it runs. */
const WATCH = `() => {
  window.mishaps = []
  addEventListener('error', (event) => window.mishaps.push('error: ' + event.message))
  addEventListener('unhandledrejection', (event) => window.mishaps.push('rejection: ' + event.reason))
  document.addEventListener('securitypolicyviolation', (event) => window.mishaps.push('policy: ' + event.violatedDirective + ' ' + event.blockedURI))
}`

/** One page of a stock Firefox without a window, driven by WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/). */
export class FirefoxPage {
  readonly #browser: ChildProcess
  readonly #profile: string
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #last = 0
  #context = ''

  private constructor(browser: ChildProcess, profile: string, socket: WebSocket) {
    this.#browser = browser
    this.#profile = profile
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer)
    })
  }

  static async open(): Promise<FirefoxPage> {
    const profile = await mkdtemp(path.join(tmpdir(), 'tributary-firefox-'))
    const args = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0', 'about:blank']
    const browser = spawn(FIREFOX.command, args, {
      env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    browser.stderr.on('data', (chunk) => (said += String(chunk)))
    const url = await waitFor('the start of Firefox', () => /WebDriver BiDi listening on (ws:\S+)/.exec(said)?.[1])
    const socket = new WebSocket(`${url}/session`)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', reject)
    })
    const page = new FirefoxPage(browser, profile, socket)
    await page.#begin()
    return page
  }

  async #begin(): Promise<void> {
    await this.#send('session.new', { capabilities: {} })
    await this.#send('script.addPreloadScript', { functionDeclaration: WATCH })
    const made = await this.#send('browsingContext.create', { type: 'tab' })
    this.#context = (made as { readonly context: string }).context
    await this.#send('browsingContext.setViewport', {
      context: this.#context,
      viewport: { width: 1440, height: 900 },
    })
  }

  async goto(url: string): Promise<void> {
    await this.#send('browsingContext.navigate', { context: this.#context, url, wait: 'complete' })
  }

  /** Evaluates an expression in the page, as its debugger does. */
  async evaluate(expression: string): Promise<unknown> {
    const target = { context: this.#context }
    const expressionAsJson = `Promise.resolve(${expression}).then((value) => JSON.stringify(value) ?? 'null')`
    const params = { expression: expressionAsJson, target, awaitPromise: true }
    const answer = (await this.#send('script.evaluate', params)) as {
      readonly type: string
      readonly result?: { readonly value: string }
      readonly exceptionDetails?: { readonly text: string }
    }
    if (answer.result === undefined) throw new Error(answer.exceptionDetails?.text ?? 'nothing was evaluated')
    return JSON.parse(answer.result.value)
  }

  /** Waits until an expression is true in the page. */
  async until(expression: string): Promise<void> {
    await waitFor(expression, async () => (await this.evaluate(expression)) === true)
  }

  /** Types into what has the focus. */
  async type(text: string): Promise<void> {
    const actions = Array.from(text).flatMap((value) => [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ])
    await this.#send('input.performActions', {
      context: this.#context,
      actions: [{ type: 'key', id: 'keyboard', actions }],
    })
  }

  /** What went wrong in the pages since the last one was loaded. */
  async mishaps(): Promise<unknown> {
    return this.evaluate('window.mishaps')
  }

  async close(): Promise<void> {
    const ended = once(this.#browser, 'exit')
    this.#socket.close()
    this.#browser.kill('SIGKILL')
    await ended
    // Its helpers may write for a moment longer than itself.
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }

  #send(method: string, params: unknown): Promise<unknown> {
    this.#last += 1
    const id = this.#last
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (answer) => {
        this.#waiting.delete(id)
        if (answer.type === 'error') reject(new Error(`${method}: ${answer.message}`))
        else resolve(answer.result)
      })
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
  }
}
