import { describe, expect, it } from 'vitest'
import { EXIT_CODES } from './errors.js'
import { runCli } from './program.js'
import { fakeRuntime } from './testing/fake-runtime.test-support.js'

async function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const fake = fakeRuntime()
  const status = await runCli(args, fake.runtime)
  return { status, stdout: fake.stdout(), stderr: fake.stderr() }
}

describe('tributary', () => {
  it('--help says what it can do', async () => {
    const { stdout, status } = await run('--help')
    expect(status).toBe(EXIT_CODES.ok)
    expect(stdout).toMatchInlineSnapshot(`
      "Usage: tributary [options] [command]

      A preview environment for every feature branch, without copying the system.

      Options:
        -V, --version            output the version number
        --url <url>              config center (default: TRIBUTARY_URL, or what
                                 \`tributary up\` wrote)
        --env-manager-url <url>  env-manager (default: TRIBUTARY_ENV_MANAGER_URL, or
                                 what \`tributary up\` wrote)
        --token-file <path>      file that holds the token (default: TRIBUTARY_TOKEN,
                                 TRIBUTARY_TOKEN_FILE, or what \`tributary up\` wrote)
        --data <folder>          data folder of \`tributary up\` (default: the nearest
                                 .tributary from here upwards)
        --debug                  show the stack of an error
        -h, --help               display help for command

      Commands:
        init [folder]            write a first service.yaml and tributary.config.yaml:
                                 asks, and proposes what it finds in the folder
        up                       start config center, env-manager and gateway on this
                                 machine, until Ctrl-C
        status                   how the env-manager is doing: repositories, queue,
                                 orphans, stopped deletions
        env                      environments: list, look, wait, sleep, wake, pin,
                                 redeploy, roll back, delete
        topology <env>           who answers each call of an environment: own or
                                 inherited, version, health, calls
        watch [env]              show runs as they happen: of one environment until it
                                 is ready (exit 0) or failed (exit 1), or of all until
                                 Ctrl-C
        probe <env>              send a synthetic request through every declared call
                                 of an environment: which of them carry it?
        plan <env>               what the env-manager would do to an environment now,
                                 and why
        deploy <env> <service>   name the image that was built of a commit: a service
                                 with \`deploy: { on: image }\` waits for it
        runs                     deploy and teardown runs with their steps and logs
        config                   config documents: read, change and wait, explain,
                                 compare, roll back
        entries                  service entries: where a tenant’s services live
        explain <name>           which address answers a call from this environment,
                                 by which rule, and why not another
        exec <command...>        run any program with its resolved config, and restart
                                 or signal it on change
        proxy                    forward proxy for programs in any language:
                                 http://<service>/ by the environment of the request
        tokens                   access tokens: make, list, revoke
        hint                     tell the env-manager to look at git now; losing a
                                 hint costs only time
        approve <approvalId>     let a mass deletion go on that the env-manager has
                                 stopped
        audit [environment]      who asked for what, on which environment, from where;
                                 config writes stand in \`config history\`
        store                    back up, restore and move what the servers have
                                 stored
        version [folder]         version of what is checked out:
                                 v<major>.<minor>-<commits since tag>-<short sha>
        completion <shell>       print a script that completes commands, options and
                                 names of environments at the Tab key
        doctor                   checks programs, configuration, cluster permissions,
                                 servers, store, clocks and ports, and says what to do
        help [command]           display help for command

      Examples:
        $ tributary up                   start everything on this machine
        $ tributary topology feature-x   who answers each call, and why
        $ tributary env wait feature-x && tributary env show feature-x
        $ tributary config set feature-x orders pageSize=50 --wait 5s
        $ tributary exec --tenant feature-x --service orders -- ./orders

      Exit status:
          0  done
          1  it failed, e.g. an environment whose deploy fails
          2  wrong use: an unknown option, a bad name or value, a bad config file
          3  not found
          4  conflict: somebody else changed it, it exists already, or its state does
             not allow this
          5  a server is not reachable or is overloaded; trying again may help
          6  no token, an unknown token, or a role that may not do this
          7  not ready or not applied by every subscriber in time
        130  interrupted by Ctrl-C
      "
    `)
  })

  it.each(['up', 'env wait', 'config set', 'exec'])('%s --help fits a screen', async (command) => {
    const { stdout, status } = await run(...command.split(' '), '--help')
    expect(status).toBe(EXIT_CODES.ok)
    expect(stdout).toMatchSnapshot()
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(130)
  })

  it.each([
    [[]],
    [['env']],
    [['nonsense']],
    [['env', 'show']],
    [['env', 'list', '--nonsense']],
    [['env', 'wait', 'x', '--timeout', 'soon']],
  ])('exits with the status for wrong use: %j', async (args) => {
    const { status, stdout, stderr } = await run(...args)
    expect(status).toBe(EXIT_CODES.usage)
    expect(stdout).toBe('')
    expect(stderr).not.toBe('')
  })

  it('prints colours on a terminal only, and not when NO_COLOR is set', async () => {
    const escapes = async (isTTY: boolean, env: Record<string, string>): Promise<boolean> => {
      let text = ''
      const stderr = { isTTY, columns: 80, write: (more: string) => void (text += more) }
      await runCli(['env', 'list'], fakeRuntime({ stderr, env }).runtime)
      return text.includes('\u001B[')
    }
    expect(await escapes(true, {})).toBe(true)
    expect(await escapes(false, {})).toBe(false)
    expect(await escapes(true, { NO_COLOR: '1' })).toBe(false)
  })
})
