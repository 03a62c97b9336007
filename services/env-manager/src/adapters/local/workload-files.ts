import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomically } from './atomic-file.js'
import { localFailure, mapping } from './local-errors.js'
import type { SpaceLayout } from './space-layout.js'
import { parseWorkloadRecord, type WorkloadRecord } from './workload-record.js'

/** The durable records of workloads, one file each. */
export class WorkloadFiles {
  constructor(private readonly layout: SpaceLayout) {}

  /** Durable when it resolves. @throws AppError `PLATFORM_DISK_FULL`, `PLATFORM_DATA_UNWRITABLE`. */
  async save(record: WorkloadRecord): Promise<void> {
    await mapping(`record the workload ${record.workloadId}`, async () => {
      await mkdir(this.layout.workloads(record.environment), { recursive: true, mode: 0o700 })
      await mkdir(this.layout.logs(record.environment), { recursive: true, mode: 0o700 })
      await writeFileAtomically(this.layout.workload(record.environment, record.workloadId), JSON.stringify(record))
    })
  }

  async remove(record: Pick<WorkloadRecord, 'environment' | 'workloadId'>): Promise<void> {
    await mapping(`forget the workload ${record.workloadId}`, () =>
      rm(this.layout.workload(record.environment, record.workloadId), { force: true }),
    )
  }

  /** All records on the disk. One that cannot be read is removed: its processes are found by their marker all the same. */
  async loadAll(): Promise<WorkloadRecord[]> {
    const environments = await this.listEnvironments()
    const lists = await Promise.all(environments.map((environment) => this.load(environment)))
    return lists.flat()
  }

  /** Names of the spaces that have a folder. What is not named like an environment is none. */
  async listEnvironments(): Promise<string[]> {
    const entries = await readdir(this.layout.root, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw localFailure('list the environments’ folders', error)
    })
    return entries
      .filter((entry) => entry.isDirectory() && /^[a-z0-9][-a-z0-9]{0,62}$/.test(entry.name))
      .map((entry) => entry.name)
  }

  private async load(environment: string): Promise<WorkloadRecord[]> {
    const folder = this.layout.workloads(environment)
    const names = await readdir(folder).catch(() => [])
    const records = await Promise.all(names.map((name) => this.loadFile(join(folder, name))))
    return records.filter((record) => record !== undefined)
  }

  private async loadFile(path: string): Promise<WorkloadRecord | undefined> {
    const text = path.endsWith('.json') ? await mapping(`read ${path}`, () => readFile(path, 'utf8')) : ''
    const record = parseWorkloadRecord(text)
    if (record === undefined) await rm(path, { force: true })
    return record
  }
}
