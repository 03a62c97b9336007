import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Writes a chart whose objects are `manifest`, letter by letter: nothing in it is a template any more. `origin` is told in its description.
 * Removes it after `use`.
 */
export async function withStaticChart<T>(
  parent: string,
  chart: { readonly name: string; readonly origin: string; readonly manifest: string },
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(parent, 'chart-'))
  try {
    await mkdir(join(folder, 'templates'))
    const metadata = { apiVersion: 'v2', name: chart.name, version: '0.0.0', description: chart.origin }
    await writeFile(join(folder, 'Chart.yaml'), JSON.stringify(metadata))
    await writeFile(join(folder, 'objects.yaml'), chart.manifest)
    await writeFile(join(folder, 'templates/objects.yaml'), '{{ .Files.Get "objects.yaml" }}')
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
