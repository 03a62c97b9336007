import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { mapping } from './local-errors.js'
import { OutputLog } from './output-log.js'
import type { SpaceLayout } from './space-layout.js'

/** Logs of retired copies of a service that are kept until its space goes. */
const KEPT_LOGS = 3

interface ServiceName {
  readonly environment: string
  readonly service: string
}

/** The newest log that a copy of the service left; undefined when none did. */
export async function findRetiredLog(layout: SpaceLayout, target: ServiceName): Promise<OutputLog | undefined> {
  const [newest] = await listNewestFirst(layout, target)
  return newest === undefined ? undefined : new OutputLog(newest)
}

/** Old copies' logs stay readable for a while; how many is bounded. */
export async function pruneRetiredLogs(
  layout: SpaceLayout,
  target: ServiceName,
  liveWorkloadIds: ReadonlySet<string>,
): Promise<void> {
  const live = new Set([...liveWorkloadIds].map((workloadId) => layout.log(target.environment, workloadId)))
  await mapping(`remove old logs of ${target.service}`, async () => {
    const retired = (await listNewestFirst(layout, target)).filter((path) => !live.has(path))
    for (const path of retired.slice(KEPT_LOGS)) {
      await rm(path, { force: true })
      await rm(`${path}.1`, { force: true })
    }
  })
}

async function listNewestFirst(layout: SpaceLayout, target: ServiceName): Promise<string[]> {
  const folder = layout.logs(target.environment)
  const names = (await readdir(folder).catch(() => [])).filter((name) => isLogOf(name, target.service))
  const dated = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name)
      const at = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      )
      return { path, at }
    }),
  )
  return dated.sort((left, right) => right.at - left.at).map(({ path }) => path)
}

/** Workload ids are `<environment>.<generation>.<service>.…`, and none of these has a dot in it. */
function isLogOf(fileName: string, service: string): boolean {
  return fileName.endsWith('.log') && fileName.split('.')[2] === service
}
