import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Type, type Static } from 'typebox'

/** What templates may ask of a cluster: `.Capabilities`. */
export const ClusterFacts = Type.Object({ kubeVersion: Type.String(), apiVersions: Type.Array(Type.String()) })
export type ClusterFacts = Static<typeof ClusterFacts>

const FILES = {
  'Chart.yaml': 'apiVersion: v2\nname: cluster-facts\nversion: 1.0.0\n',
  'templates/NOTES.txt':
    '{"kubeVersion":{{ .Capabilities.KubeVersion.Version | toJson }},"apiVersions":{{ .Capabilities.APIVersions | toJson }}}\n',
} as const

/** Writes a chart that makes nothing and whose notes are the cluster's facts. Answers its folder. */
export async function writeFactsChart(parent: string): Promise<string> {
  const folder = join(parent, 'cluster-facts')
  await mkdir(join(folder, 'templates'), { recursive: true })
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text)
  return folder
}
