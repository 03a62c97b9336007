import { chartValuesOf } from '../../domain/chart-values.js'
import type { KubernetesConfig } from '../../domain/kubernetes-config.js'
import type { ChartValues } from './kubernetes-parts.js'

/** Values of a copy's release: what its service.yaml says, what makes it ours, and the configuration's own laid over both. */
export function chartValues({ imagePullSecrets, values, workloadIdentity }: KubernetesConfig): ChartValues {
  return (spec, { labels, podAnnotations, secretName }) =>
    chartValuesOf(spec, {
      labels,
      podAnnotations,
      secretNames: [secretName],
      imagePullSecrets,
      hasIdentity: workloadIdentity,
      overrides: values,
    })
}
