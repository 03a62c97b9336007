import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Variable by which every process of a workload, however far down, is found again. */
export const MARKER_VARIABLE = 'TRIBUTARY_WORKLOAD'

/**
 * A live process of this machine. Zombies are not in the table: they hold nothing. One whose main thread alone has ended is no zombie
 * yet, although its state says so: until its last thread is gone, its ports and files are open.
 */
export interface ProcessEntry {
  readonly pid: number
  readonly groupId: number
  /** Tells this process from a later one with the same pid, also across a reboot. Compare, never parse. */
  readonly startId: string
  /** Value of {@link MARKER_VARIABLE}; undefined without one, or when the process belongs to somebody else. */
  readonly marker: string | undefined
}

/** What the operating system knows about processes. The only place that knows how it is asked. */
export interface ProcessTable {
  /** All live processes. Costs some milliseconds: for removal and recovery, not for polling. */
  list(): Promise<readonly ProcessEntry[]>
  /** `startId` of the live process with this pid; undefined when there is none. Cheap. */
  identify(pid: number): Promise<string | undefined>
}

/** False when no process has this pid; true also for a zombie and for another process with the same pid. One system call. */
export function mayLive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** The process table of this machine: `/proc` on Linux, `ps` elsewhere. */
export function createProcessTable(platform: NodeJS.Platform = process.platform): ProcessTable {
  return platform === 'linux' ? new ProcFileSystem() : new PsCommand()
}

interface Stat {
  /** Only its main thread has ended. */
  readonly isEnding: boolean
  readonly groupId: number
  readonly startTicks: string
}

class ProcFileSystem implements ProcessTable {
  private bootId: Promise<string> | undefined

  async list(): Promise<readonly ProcessEntry[]> {
    const names = await readdir('/proc')
    const entries = await Promise.all(
      names.filter((name) => /^\d+$/.test(name)).map((name) => this.entry(Number(name))),
    )
    return entries.filter((entry) => entry !== undefined)
  }

  async identify(pid: number): Promise<string | undefined> {
    const stat = await readStat(pid)
    return stat === undefined ? undefined : this.startIdOf(stat)
  }

  private async entry(pid: number): Promise<ProcessEntry | undefined> {
    const stat = await readStat(pid)
    if (stat === undefined) return undefined
    const environ = await readEnviron(pid, stat)
    const variable = environ.split('\0').find((line) => line.startsWith(`${MARKER_VARIABLE}=`))
    const marker = variable?.slice(MARKER_VARIABLE.length + 1)
    return { pid, groupId: stat.groupId, startId: await this.startIdOf(stat), marker }
  }

  private async startIdOf(stat: Stat): Promise<string> {
    this.bootId ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
      (text) => text.trim(),
      () => 'unknown-boot',
    )
    return `${await this.bootId}/${stat.startTicks}`
  }
}

async function readStat(pid: number): Promise<Stat | undefined> {
  return parseStat(await readText(`/proc/${pid}/stat`))
}

/**
 * Fields of `/proc/<pid>/stat` (proc(5)); undefined for a zombie and for no text. The command's name may hold spaces and brackets, so
 * fields are counted from its last bracket. Exported for its test.
 */
export function parseStat(text: string): Stat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, , groupId] = fields
  const [threads, startTicks] = [fields[17], fields[19]]
  if (state === undefined || groupId === undefined || startTicks === undefined || /[Xx]/.test(state)) return undefined
  const isEnding = state === 'Z'
  return isEnding && Number(threads) <= 1 ? undefined : { isEnding, groupId: Number(groupId), startTicks }
}

/** The environment a process was started with; of one that is ending, as a thread still has it. Empty when nobody tells. */
async function readEnviron(pid: number, { isEnding }: Stat): Promise<string> {
  if (!isEnding) return readText(`/proc/${pid}/environ`)
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  const texts = await Promise.all(threads.map((thread) => readText(`/proc/${pid}/task/${thread}/environ`)))
  return texts.find((text) => text !== '') ?? ''
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

const runFile = promisify(execFile)
const PS_LINE = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\w{3} +\w{3} +\d+ +[\d:]+ +\d{4})\s*(.*)$/

class PsCommand implements ProcessTable {
  async list(): Promise<readonly ProcessEntry[]> {
    return parsePs(await ps(['-A', '-E', '-ww', '-o', 'pid=,pgid=,stat=,lstart=,command=']))
  }

  async identify(pid: number): Promise<string | undefined> {
    const entries = parsePs(await ps(['-o', 'pid=,pgid=,stat=,lstart=', '-p', String(pid)]))
    return entries[0]?.startId
  }
}

async function ps(args: readonly string[]): Promise<string> {
  const options = { env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' }, maxBuffer: 64 * 1024 * 1024 }
  // ps exits with 1 when no process matches.
  return runFile('ps', [...args], options).then(
    ({ stdout }) => stdout,
    () => '',
  )
}

/** Lines of `ps -o pid=,pgid=,stat=,lstart=[,command=]`; with `-E` the command is followed by the environment. Exported for its test. */
export function parsePs(text: string): ProcessEntry[] {
  return text.split('\n').flatMap((line) => {
    const [, pid, groupId, state, startedAt, command] = PS_LINE.exec(line) ?? []
    if (pid === undefined || state === undefined || startedAt === undefined || state.startsWith('Z')) return []
    const marker = new RegExp(`(?:^| )${MARKER_VARIABLE}=(\\S+)`).exec(command ?? '')?.[1]
    return [{ pid: Number(pid), groupId: Number(groupId), startId: startedAt, marker }]
  })
}
