import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { failed, ok, skipped, type Finding } from './finding.js'

/** Runs a program and answers what it printed; rejects when it cannot be run. */
export type RunProgram = (program: string, args: readonly string[]) => Promise<string>

const OLDEST_NODE = [20, 19] as const
const OLDEST_GIT = [2, 36] as const
const OLDEST_HELM_3 = [3, 15] as const
const TIMEOUT_MS = 10_000

/** What {@link checkPrograms} looks at. */
export interface Programs {
  readonly run: RunProgram
  /** `process.versions.node`. */
  readonly node: string
  /** Whether environments run on a cluster, which takes helm. */
  readonly onCluster: boolean
}

/** Node, git and helm: there, and new enough. */
export async function checkPrograms({ run, node, onCluster }: Programs): Promise<readonly Finding[]> {
  return [
    isAtLeast(node, OLDEST_NODE)
      ? ok('node', node)
      : failed('node', node, `install Node ${OLDEST_NODE.join('.')} or newer`),
    await checkGit(run),
    onCluster ? await checkHelm(run) : skipped('helm', 'environments do not run on a cluster'),
  ]
}

async function checkGit(run: RunProgram): Promise<Finding> {
  const advice = `install git ${OLDEST_GIT.join('.')} or newer on the machine of the env-manager`
  const printed = await run('git', ['--version']).catch(() => undefined)
  if (printed === undefined) return failed('git', 'there is no git on PATH', advice)
  const version = /\d+\.\d+\S*/.exec(printed)?.[0] ?? printed.trim()
  return isAtLeast(version, OLDEST_GIT) ? ok('git', version) : failed('git', `${version} is too old`, advice)
}

async function checkHelm(run: RunProgram): Promise<Finding> {
  const advice = `install helm 4, or ${OLDEST_HELM_3.join('.')} or newer`
  const printed = await run('helm', ['version', '--template={{.Version}}']).catch(() => undefined)
  if (printed === undefined) return failed('helm', 'there is no helm on PATH', advice)
  const version = printed.trim().replace(/^v/, '')
  return isAtLeast(version, OLDEST_HELM_3) ? ok('helm', version) : failed('helm', `${version} is too old`, advice)
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [foundMajor = 0, foundMinor = 0] = version.split('.').map(Number)
  return foundMajor > major || (foundMajor === major && foundMinor >= minor)
}

/** {@link RunProgram} on this machine. */
export const runProgram: RunProgram = async (program, args) => {
  const { stdout } = await promisify(execFile)(program, [...args], { timeout: TIMEOUT_MS })
  return stdout
}
