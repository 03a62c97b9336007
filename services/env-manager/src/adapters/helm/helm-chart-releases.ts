import { KeyedMutex, systemClock, type Clock } from '@tributary/kit'
import { NO_HOSTS } from '../../domain/chart-hosts.js'
import { readChartManifest, renderManifest } from '../../domain/chart-manifest.js'
import { stampObjects, stampValues } from '../../domain/stamp-objects.js'
import { failure } from '../../errors.js'
import type {
  ChartRelease,
  ChartReleaseContext,
  ChartReleases,
  ChartRevision,
  ReleaseName,
  ReleaseStatus,
} from '../../ports/chart-releases.js'
import { checkedChartFolder } from './chart-folder.js'
import { checkRelease, checkReleaseName } from './check-release.js'
import { ClusterFacts, writeFactsChart } from './cluster-facts.js'
import {
  applyArguments,
  factsArguments,
  historyArguments,
  listArguments,
  renderArguments,
  rollbackArguments,
  uninstallArguments,
  type HelmSettings,
} from './helm-arguments.js'
import type { ClusterAccess } from './helm-environment.js'
import { isLeftPending, isReleaseMissing } from './helm-errors.js'
import { parseApplied, parseHistory, parseList, parseNotes, type HelmRevision } from './helm-output.js'
import { HelmRunner, type HelmRunnerOptions } from './helm-runner.js'
import { withStaticChart } from './static-chart.js'

/** What it takes to run helm. */
export interface HelmOptions extends HelmRunnerOptions {
  readonly cluster: ClusterAccess
  /** How long a hook of a chart may take. Default 300. */
  readonly timeoutSeconds?: number
  /** Revisions kept of each release. Default 10. */
  readonly historyMax?: number
  /** `host:port` of registries without TLS, such as one on this machine. Default none. */
  readonly plainHttpRegistries?: readonly string[]
  readonly clock?: Clock
}

/** Kinds and versions that a cluster serves change when it is upgraded or gets new CRDs. */
const FACTS_FRESH_MS = 10 * 60_000
const RENDER_TIMEOUT_MS = 120_000
/** For helm's own requests, besides its hooks. */
const MARGIN_SECONDS = 120

/** {@link ChartReleases} by the helm program. It must be the only one of its `home`. */
export function createHelmChartReleases(options: HelmOptions): ChartReleases {
  return new HelmChartReleases(options, new HelmRunner(options))
}

class HelmChartReleases implements ChartReleases {
  /** Of one release one operation at a time: helm takes a second one for the trace of a killed client. */
  private readonly mutex = new KeyedMutex()
  private readonly clock: Clock
  private facts: { readonly value: ClusterFacts; readonly readAtMs: number } | undefined

  constructor(
    private readonly options: HelmOptions,
    private readonly runner: HelmRunner,
  ) {
    this.clock = options.clock ?? systemClock
  }

  async apply(release: ChartRelease, context: ChartReleaseContext): Promise<ChartRevision> {
    checkRelease(release)
    return this.mutex.run(keyOf(release), async () => {
      const revision = await (release.origin === 'platform'
        ? this.install(stamped(release), release.chart, context)
        : this.applyForeign(release, context))
      context.log?.(`helm: release ${release.name} is at revision ${revision.helmRevision}`)
      return revision
    })
  }

  async rollback(
    target: ReleaseName & { readonly helmRevision: number },
    context: ChartReleaseContext,
  ): Promise<ChartRevision> {
    checkReleaseName(target)
    return this.mutex.run(keyOf(target), async () => {
      const revisions = await this.readHistory(target, context)
      if (!revisions.some(({ helmRevision }) => helmRevision === target.helmRevision))
        throw revisionMissing(target, revisions)
      await this.rollBack(target, context)
      const [newest] = await this.readHistory(target, context, 1)
      if (newest === undefined) throw revisionMissing(target, [])
      context.log?.(
        `helm: release ${target.name} is at revision ${newest.helmRevision}, as it was at ${target.helmRevision}`,
      )
      return withoutStatus(newest)
    })
  }

  async uninstall(target: ReleaseName, context: ChartReleaseContext): Promise<void> {
    checkReleaseName(target)
    await this.mutex.run(keyOf(target), () => this.remove(target, context))
  }

  async history(target: ReleaseName, context: ChartReleaseContext): Promise<readonly ChartRevision[]> {
    checkReleaseName(target)
    return (await this.readHistory(target, context)).map(withoutStatus)
  }

  async list(kubeNamespace: string, context: ChartReleaseContext): Promise<readonly ReleaseStatus[]> {
    checkReleaseName({ kubeNamespace, name: 'any' })
    const args = listArguments(kubeNamespace, await this.runner.major())
    return parseList(await this.runner.run({ action: `list the releases of ${kubeNamespace}`, args }, context))
  }

  async render(release: ChartRelease, context: ChartReleaseContext): Promise<string> {
    checkRelease(release)
    const isFolder = !release.chart.startsWith('oci://')
    const chart = isFolder ? await checkedChartFolder(release.chart, release.chartRoot) : release.chart
    const facts = await this.readFacts(release.kubeNamespace, context)
    const action = `render the chart of release ${release.name}`
    const rendered = await this.runner.run(
      {
        action,
        args: renderArguments({ ...release, chart }, facts, this.isPlain(chart)),
        values: release.values,
        cluster: 'none',
        otherwise: 'CHART_INVALID',
        timeoutMs: RENDER_TIMEOUT_MS,
      },
      context,
    )
    const { kubeNamespace, hosts } = release
    const manifest = readChartManifest(rendered, { kubeNamespace, hosts: hosts ?? NO_HOSTS })
    if (manifest.problems === undefined) {
      return renderManifest(
        release.stamp === undefined ? manifest.objects : stampObjects(manifest.objects, release.stamp),
      )
    }
    throw failure('CHART_INVALID', `could not ${action}: ${manifest.problems.slice(0, 5).join('; ')}`)
  }

  /** What comes out of a foreign chart is checked, and applied letter by letter: at the price of a second process of helm. */
  private async applyForeign(release: ChartRelease, context: ChartReleaseContext): Promise<ChartRevision> {
    const manifest = await this.render(release, context)
    const origin = release.version === undefined ? release.chart : `${release.chart}:${release.version}`
    const chart = { name: release.name, origin, manifest }
    return withStaticChart(this.runner.workFolder, chart, (folder) => this.install(release, folder, context))
  }

  private async install(release: ChartRelease, folder: string, context: ChartReleaseContext): Promise<ChartRevision> {
    const call = {
      action: `apply release ${release.name} in ${release.kubeNamespace}`,
      args: applyArguments(release, folder, await this.settings()),
      values: release.values,
      timeoutMs: this.mutationTimeoutMs,
    }
    const first = await this.runner.attempt(call, context)
    if (first.failed === undefined) return parseApplied(first.stdout)
    if (!isLeftPending(first.failed.stderr)) throw first.failed.error
    context.log?.(`helm: release ${release.name} was left half done by a client that died; it is recovered first`)
    await this.recover(release, context)
    return parseApplied(await this.runner.run(call, context))
  }

  /** Back to the last revision that was whole; to nothing when there is none. */
  private async recover(target: ReleaseName, context: ChartReleaseContext): Promise<void> {
    const revisions = await this.readHistory(target, context)
    const [newest] = revisions
    const whole =
      revisions.find(({ state }) => state === 'deployed') ?? revisions.find(({ state }) => state === 'superseded')
    if (whole === undefined || newest?.status === 'uninstalling') await this.remove(target, context)
    else await this.rollBack({ ...target, helmRevision: whole.helmRevision }, context)
  }

  private async rollBack(target: ReleaseName & { helmRevision: number }, context: ChartReleaseContext): Promise<void> {
    const action = `roll release ${target.name} in ${target.kubeNamespace} back to revision ${target.helmRevision}`
    const args = rollbackArguments(target, await this.settings())
    await this.runner.run({ action, args, timeoutMs: this.mutationTimeoutMs }, context)
  }

  private async remove(target: ReleaseName, context: ChartReleaseContext): Promise<void> {
    const action = `uninstall release ${target.name} in ${target.kubeNamespace}`
    const args = uninstallArguments(target, await this.settings())
    await this.runner.run({ action, args, timeoutMs: this.mutationTimeoutMs }, context)
  }

  private async readHistory(target: ReleaseName, context: ChartReleaseContext, max = 256): Promise<HelmRevision[]> {
    const action = `read the history of release ${target.name} in ${target.kubeNamespace}`
    const attempt = await this.runner.attempt({ action, args: historyArguments(target, max) }, context)
    if (attempt.failed === undefined) return parseHistory(attempt.stdout)
    if (isReleaseMissing(attempt.failed.stderr)) return []
    throw attempt.failed.error
  }

  private async readFacts(kubeNamespace: string, context: ChartReleaseContext): Promise<ClusterFacts> {
    const now = this.clock.monotonicMs()
    if (this.facts !== undefined && now - this.facts.readAtMs < FACTS_FRESH_MS) return this.facts.value
    await this.runner.major()
    const folder = await writeFactsChart(this.runner.workFolder)
    const call = { action: 'ask the cluster what it serves', args: factsArguments(kubeNamespace, folder) }
    const value = parseNotes(await this.runner.run(call, context), ClusterFacts)
    this.facts = { value, readAtMs: now }
    return value
  }

  private async settings(): Promise<HelmSettings> {
    const { historyMax = 10 } = this.options
    return { major: await this.runner.major(), timeoutSeconds: this.timeoutSeconds, historyMax }
  }

  private isPlain(chart: string): boolean {
    return (this.options.plainHttpRegistries ?? []).some((host) => chart.startsWith(`oci://${host}/`))
  }

  private get timeoutSeconds(): number {
    return this.options.timeoutSeconds ?? 300
  }

  private get mutationTimeoutMs(): number {
    return (this.timeoutSeconds + MARGIN_SECONDS) * 1000
  }
}

/** The platform's chart puts on what it makes what its values say. */
function stamped(release: ChartRelease): ChartRelease {
  const { values, stamp } = release
  return stamp === undefined ? release : { ...release, values: stampValues(values, stamp) }
}

function keyOf({ kubeNamespace, name }: ReleaseName): string {
  return `${kubeNamespace}/${name}`
}

function withoutStatus({ helmRevision, state, description, appliedAt }: HelmRevision): ChartRevision {
  return { helmRevision, state, description, appliedAt }
}

function revisionMissing(
  target: ReleaseName & { readonly helmRevision: number },
  revisions: readonly ChartRevision[],
): Error {
  const there = revisions.map(({ helmRevision }) => helmRevision).join(', ')
  const what = `roll release ${target.name} in ${target.kubeNamespace} back to revision ${target.helmRevision}`
  return failure(
    'CHART_REVISION_NOT_FOUND',
    `could not ${what}: ${there === '' ? 'there is no such release' : `helm has ${there}`}`,
  )
}
