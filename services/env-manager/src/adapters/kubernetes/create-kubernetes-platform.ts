import { isAbsolute, resolve } from 'node:path'
import { systemClock, type Clock } from '@tributary/kit'
import type { KubernetesConfig } from '../../domain/kubernetes-config.js'
import type { ChartReleases } from '../../ports/chart-releases.js'
import type { SourceControl } from '../../ports/source-control.js'
import { AddressProof } from './addresses/address-proof.js'
import { chartValues } from './chart-values.js'
import { Spaces } from './names.js'
import { KubernetesPlatform } from './kubernetes-platform.js'
import type { Cluster } from './open-cluster.js'
import { WorkloadBook } from './workloads/workload-book.js'

/** What a Kubernetes platform is made of. */
export interface KubernetesPlatformOptions {
  readonly instance: string
  readonly config: KubernetesConfig
  readonly cluster: Cluster
  readonly charts: ChartReleases
  readonly sourceControl: Pick<SourceControl, 'ensureCheckout' | 'removeCheckout' | 'listCheckouts'>
  readonly dataDirectory: string
  /** The chart that services get which name none, when the configuration names none either. */
  readonly bundledChart: string
  /** Addresses of the platform itself, which no chart may claim. Default: none. */
  readonly reservedUrls?: readonly string[]
  /** Told of failures of the watches, which are tried again. */
  readonly onWatchError?: (error: unknown) => void
  readonly clock?: Clock
  /** How long a namespace's end is waited for before its holder is named. Default 60,000. */
  readonly removalPatienceMs?: number
}

const REMOVAL_PATIENCE_MS = 60_000

/** Assembles the platform; nothing is asked of the cluster before its `start`. */
export function createKubernetesPlatform(options: KubernetesPlatformOptions): KubernetesPlatform {
  const { instance, config, cluster, charts, sourceControl, clock = systemClock } = options
  const { api } = cluster
  const onError = options.onWatchError ?? (() => undefined)
  const spaces = new Spaces(config.namespacePrefix)
  const { clusterDomain } = config
  const book = new WorkloadBook({ api, clock, instance, spaces, clusterDomain, onError })
  const chart = config.chart ?? options.bundledChart
  return new KubernetesPlatform({
    instance,
    config,
    spaces,
    api,
    charts,
    chartValues: chartValues(config),
    book,
    proof: new AddressProof({ isInside: cluster.isInside, clock }),
    clock,
    sourceControl,
    dataDirectory: resolve(options.dataDirectory),
    serviceChart: chart.startsWith('oci://') || isAbsolute(chart) ? chart : resolve(chart),
    hasBundledChart: config.chart === undefined,
    reservedUrls: options.reservedUrls ?? [],
    removalPatienceMs: options.removalPatienceMs ?? REMOVAL_PATIENCE_MS,
  })
}
