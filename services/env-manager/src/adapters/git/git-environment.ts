import { ALLOWED_PROTOCOLS } from './git-url.js'

/** Variables of the host that git and ssh need to reach a server: everything else is withheld. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'XDG_CONFIG_HOME',
  'SSH_AUTH_SOCK',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
] as const

const FIXED: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: 'true',
  SSH_ASKPASS: 'true',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_ADVICE: '0',
  GIT_ALLOW_PROTOCOL: ALLOWED_PROTOCOLS.join(':'),
  // BatchMode: a question for a passphrase or a host key would hang a server for ever.
  GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oConnectTimeout=15',
}

/**
 * Config that beats every file. `fetch.unpackLimit=1` keeps what is fetched as one pack, which appears whole or not at all: a commit
 * that is there then has its trees, whenever git was killed. Mirrors are ours, so another owner's mark on them means nothing.
 */
const CONFIG: readonly (readonly [key: string, value: string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.autocrlf', 'false'],
  ['core.quotePath', 'true'],
  ['protocol.ext.allow', 'never'],
  ['safe.directory', '*'],
  ['fetch.unpackLimit', '1'],
  ['gc.autoDetach', 'false'],
  ['maintenance.autoDetach', 'false'],
  ['submodule.recurse', 'false'],
  ['advice.detachedHead', 'false'],
  ['init.defaultBranch', 'main'],
]

/** Where a git command runs, and as whom. */
export interface GitEnvironmentOptions {
  /** The manager's own environment. */
  readonly host: Readonly<Record<string, string | undefined>>
  /** Git does not look for a repository above it. */
  readonly ceiling: string
  /** `Authorization` header for http(s). Secret. */
  readonly authorization?: string | undefined
}

/** The whole environment of a git command: fixed but for what it takes to reach a server. */
export function gitEnvironment(options: GitEnvironmentOptions): Record<string, string> {
  const environment: Record<string, string> = { ...FIXED, GIT_CEILING_DIRECTORIES: options.ceiling }
  for (const name of PASSED_ON) {
    const value = options.host[name]
    if (value !== undefined) environment[name] = value
  }
  const config = [...CONFIG]
  if (options.authorization !== undefined) config.push(['http.extraHeader', `Authorization: ${options.authorization}`])
  environment['GIT_CONFIG_COUNT'] = String(config.length)
  for (const [index, [key, value]] of config.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key
    environment[`GIT_CONFIG_VALUE_${index}`] = value
  }
  return environment
}
