// A manager of helm releases that is killed while it applies one: HELM_TEST says which.
import { createHelmChartReleases } from '@tributary/env-manager'

const { home, helm, kubeconfig, release } = JSON.parse(process.env.HELM_TEST ?? '{}')
const charts = createHelmChartReleases({ home, helm, host: process.env, cluster: { kubeconfig } })
await charts.apply(release, { signal: new AbortController().signal })
