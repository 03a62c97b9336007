import { describe, expect, it } from 'vitest'
import { kubernetesWithDefaults } from '../../../domain/kubernetes-config.js'
import type { WorkloadSpec } from '../../../ports/platform.js'
import { openChart, type ChartParts, type OpenChart } from './chart-input.js'

const COMMIT = 'a'.repeat(40)

/** Remembers what is checked out. */
function partsOf(more: Partial<ChartParts> & { readonly registries?: readonly string[] } = {}) {
  const checkouts = new Set<string>()
  const { registries = [], ...rest } = more
  const parts: ChartParts = {
    serviceChart: '/opt/charts/service',
    hasBundledChart: true,
    config: kubernetesWithDefaults({ charts: { registries: [...registries] } }),
    dataDirectory: '/data',
    sourceControl: {
      ensureCheckout: async (_repository, _commit, directory) => void checkouts.add(directory),
      removeCheckout: async (_repository, directory) => void checkouts.delete(directory),
      listCheckouts: async () => [],
    },
    ...rest,
  }
  return { parts, checkouts }
}

function specOf(chart?: string): WorkloadSpec {
  return {
    environment: 'feature-x',
    generation: 1,
    service: 'orders',
    repository: 'shop',
    commitSha: COMMIT,
    directory: 'services/orders',
    version: 'v1.0-0',
    definition: {
      apiVersion: 'tributary/v1',
      kind: 'Service',
      name: 'orders',
      ...(chart === undefined ? {} : { chart }),
    },
    secrets: {},
    environmentVariables: {},
  }
}

const referenceOf = async (
  chart: string | undefined,
  registries: readonly string[] = [],
): Promise<OpenChart['reference']> => (await openChart(partsOf({ registries }).parts, specOf(chart))).reference

describe('openChart', () => {
  it('trusts the chart that comes with this program, and no other that an operator names', async () => {
    expect(await referenceOf(undefined)).toEqual({ chart: '/opt/charts/service', origin: 'platform' })
    const { parts } = partsOf({ hasBundledChart: false, serviceChart: 'oci://anywhere.example/service:1.2.3' })
    const { reference } = await openChart(parts, specOf())
    expect(reference).toEqual({ chart: 'oci://anywhere.example/service', version: '1.2.3', origin: 'foreign' })
  })

  it('checks out a chart of the repository for as long as it is open', async () => {
    const { parts, checkouts } = partsOf()
    const { reference, discard } = await openChart(parts, specOf('../../charts/orders'))
    const chartRoot = `/data/charts/feature-x/orders/${COMMIT}`
    expect(reference).toEqual({ chart: `${chartRoot}/charts/orders`, chartRoot })
    expect([...checkouts]).toEqual([chartRoot])
    await discard()
    expect([...checkouts]).toEqual([])
  })

  it('takes a chart of a registry that the operator named', async () => {
    const reference = { chart: 'oci://registry.example/team/orders', version: '1.2.3' }
    expect(await referenceOf('oci://registry.example/team/orders:1.2.3', ['registry.example/team'])).toEqual(reference)
  })

  it.each([
    [[], 'names none'],
    [['registry.example', 'other.example/charts'], 'names registry.example, other.example/charts'],
  ])('asks no registry that the operator did not name: %j', async (registries, named) => {
    await expect(referenceOf('oci://evil.example/orders:1.2.3', registries)).rejects.toMatchObject({
      code: 'CHART_INVALID',
      message: `could not deploy orders: its chart oci://evil.example/orders is of a registry that this installation does not take charts from (platform.kubernetes.charts.registries ${named}); ask an operator to add it, or put the chart into the repository`,
    })
  })

  it.each([
    'https://evil.example/chart.tgz',
    '../../../etc',
    'oci://registry.example/orders',
    'OCI://registry.example/o:1',
  ])('refuses %s, which is neither of the repository nor of a registry', async (chart) => {
    await expect(referenceOf(chart, ['registry.example'])).rejects.toMatchObject({ code: 'PLATFORM_UNSUPPORTED' })
  })
})
