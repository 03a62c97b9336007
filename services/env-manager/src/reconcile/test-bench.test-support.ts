import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Environment, Run } from '@tributary/contract'
import { systemClock } from '@tributary/kit'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { toEnvironment, type EnvironmentRecord } from '../domain/environment-record.js'
import { withDefaults, type PlatformConfig } from '../domain/platform-config.js'
import type { EnvironmentDependencies } from '../operations/dependencies.js'
import { createContentLoader } from '../operations/load-content.js'
import { RunLogs } from '../operations/run-logs.js'
import { findEnvironment } from '../operations/state/environments.js'
import { listLedger } from '../operations/state/ledger.js'
import { listReceipts } from '../operations/state/receipts.js'
import { listRuns } from '../operations/state/runs.js'
import { EnvironmentManager } from './environment-manager.js'
import { FakeConfigCenter } from './fake-config-center.test-support.js'
import { FakeGit } from './fake-git.test-support.js'
import { createFakePlatform, PlatformWorld } from './fake-platform.test-support.js'
import { FakeRoutes } from './fake-routes.test-support.js'

/** `service.yaml` of a service with nothing but a name, and more lines. */
export const definition = (name: string, more = ''): string =>
  `apiVersion: tributary/v1\nkind: Service\nname: ${name}\nports: [{ name: http, protocol: http, port: 8080 }]\nrun: { local: { command: node server.js } }\n${more}`

/** A manager over fakes of the world outside and a real store. */
export class TestBench {
  readonly git = new FakeGit()
  readonly world = new PlatformWorld()
  readonly center = new FakeConfigCenter()
  readonly routes = new FakeRoutes()
  readonly directory = mkdtempSync(join(tmpdir(), 'tributary-em-'))
  readonly logged: string[] = []
  config: PlatformConfig = withDefaults({
    apiVersion: 'tributary/v1',
    kind: 'Platform',
    repositories: [{ name: 'shop', url: 'https://git.example/shop.git' }],
    pollSeconds: 3600,
    resyncSeconds: 86_400,
    drainSeconds: 0,
  })
  store!: RevisionedStore
  manager!: EnvironmentManager
  /** What the running manager was made of. */
  running!: EnvironmentDependencies
  now: (() => number) | undefined

  static async open(config: Partial<PlatformConfig> = {}): Promise<TestBench> {
    const bench = new TestBench()
    bench.config = { ...bench.config, ...config }
    bench.store = await openEmbeddedStore({ path: join(bench.directory, 'store.db') })
    return bench
  }

  /** What the manager is made of; `wrap` may put something around the outside world. */
  dependencies(): EnvironmentDependencies {
    const sourceControl = this.git.asSourceControl()
    const note = (details: object, message: string): void =>
      void this.logged.push(`${message} ${JSON.stringify(details)}`)
    return {
      store: this.store,
      platform: createFakePlatform(this.world),
      sourceControl,
      content: createContentLoader(sourceControl),
      routes: this.routes,
      configCenter: this.center.asConfigCenter(),
      configCenterUrl: 'http://127.0.0.1:7400',
      reporter: { report: async () => undefined },
      config: this.config,
      offeredSecrets: {},
      runLogs: new RunLogs(join(this.directory, 'run-logs')),
      clock: { ...systemClock, now: () => this.now?.() ?? Date.now() },
      log: { info: note, warn: note, error: note },
    }
  }

  /** Starts a manager on what is there. */
  async start(dependencies: EnvironmentDependencies = this.dependencies()): Promise<void> {
    this.running = dependencies
    this.manager = new EnvironmentManager(dependencies, { backoff: { initialMs: 5, maxMs: 40 } })
    await this.manager.start()
  }

  /** Looks at git and waits until everything that follows from it is done. */
  async settle(): Promise<void> {
    this.manager.requestLook()
    await this.manager.idle()
  }

  /** Waits until what is read holds and the manager has nothing to do, so that all that belongs to it is there as well. */
  async atRest<T>(read: () => Promise<T> | T, holds: (value: T) => boolean): Promise<T> {
    return eventually(async () => {
      await this.manager.idle()
      return read()
    }, holds)
  }

  async record(name: string): Promise<EnvironmentRecord | undefined> {
    return findEnvironment(this.store, name)
  }

  async environment(name: string): Promise<Environment | undefined> {
    const record = await this.record(name)
    return record === undefined
      ? undefined
      : toEnvironment(record, {
          ttlMs: null,
          sleepAfterMs: null,
          lastRequestAt: null,
          urlOf: (service) => this.routes.urlOf(name, service),
        })
  }

  async phase(name: string): Promise<string | undefined> {
    return (await this.environment(name))?.phase
  }

  async runs(environment: string): Promise<readonly Run[]> {
    return listRuns(this.store, { environment, limit: 50 })
  }

  async ledger(environment: string): Promise<readonly string[]> {
    return (await listLedger(this.store, environment)).map(({ kind, id }) => `${kind} ${id}`)
  }

  async receipts(environment: string) {
    return listReceipts(this.store, environment)
  }

  async close(): Promise<void> {
    await this.manager?.stop()
    await this.store.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** Holds work up at a known place until the test lets it go on. */
export interface Gate {
  readonly opened: Promise<void>
  readonly open: () => void
}

/** A gate that is closed. */
export function gate(): Gate {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
}

/** Waits for a condition with a deadline; the last answer is in the error. */
export async function eventually<T>(
  read: () => Promise<T> | T,
  holds: (value: T) => boolean,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await read()
    if (holds(value)) return value
    if (performance.now() > deadline) throw new Error(`still ${JSON.stringify(value)} after ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
