import { join, relative, isAbsolute } from 'node:path'

/**
 * Where an environment's things are:
 *
 * | path under `<data>/environments` | what |
 * | --- | --- |
 * | `<environment>/space.json` | whose space it is |
 * | `<environment>/checkouts/<repository>-<sha>` | worktree, shared by the services of the repository at the commit |
 * | `<environment>/builds/<repository>-<sha>/<service>.json` | a build that succeeded in that worktree |
 * | `<environment>/workloads/<workload>.json` | state of a workload, mode 0600: holds its variables |
 * | `<environment>/logs/<workload>.log[.1]` | what it printed |
 * | `<environment>/snapshots/<service>` | the SDK's last good view, for a start while the config center is down |
 */
export class SpaceLayout {
  /** `root` is `<data>/environments`, with symlinks resolved. */
  constructor(readonly root: string) {}

  space(environment: string): string {
    return join(this.root, environment)
  }

  spaceFile(environment: string): string {
    return join(this.root, environment, 'space.json')
  }

  checkouts(environment: string): string {
    return join(this.root, environment, 'checkouts')
  }

  checkout(environment: string, repository: string, commitSha: string): string {
    return join(this.checkouts(environment), `${encodeURIComponent(repository)}-${commitSha.slice(0, 16)}`)
  }

  builds(environment: string, checkoutName: string): string {
    return join(this.root, environment, 'builds', checkoutName)
  }

  workloads(environment: string): string {
    return join(this.root, environment, 'workloads')
  }

  workload(environment: string, workloadId: string): string {
    return join(this.workloads(environment), `${workloadId}.json`)
  }

  snapshots(environment: string, service: string): string {
    return join(this.root, environment, 'snapshots', service)
  }

  logs(environment: string): string {
    return join(this.root, environment, 'logs')
  }

  log(environment: string, workloadId: string): string {
    return join(this.logs(environment), `${workloadId}.log`)
  }

  /** Whether a path lies inside a space: everything else is not ours to remove. */
  contains(path: string): boolean {
    const inside = relative(this.root, path)
    return inside !== '' && !inside.startsWith('..') && !isAbsolute(inside)
  }
}
