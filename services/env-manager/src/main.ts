import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isAppError, systemClock } from '@tributary/kit'
import { openStore, type RevisionedStore } from '@tributary/store'
import { manage } from './composition/manage.js'
import { readConfig, type EnvManagerConfig } from './config.js'
import { startStandby, type Standby } from './http/standby.js'
import { Leadership, type CampaignOptions, type LeaderAddress } from './leadership/leadership.js'
import { announceReplica } from './operations/state/manager-replicas.js'

/** In an etcd that others use as well. */
const STORE_PREFIX = 'tributary/env-manager/'
/** Somebody else may lead: nothing here may act any more, not even to clean up. Whatever supervises the process starts it again. */
const EXIT_DEPOSED = 70

/** Runs until SIGINT or SIGTERM. Environments keep running; the next start adopts them. */
async function main(): Promise<void> {
  const config = readConfig()
  const { dataDirectory, store: choice } = config
  const stopping = stopOnSignal()
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
  const store = await openStore(choice, { path: join(dataDirectory, 'store.db'), prefix: STORE_PREFIX })
  try {
    if (choice.kind === 'embedded') await manage(config, { store, stopping, host: process.env })
    else await lead(config, store, stopping)
  } finally {
    await store.close()
  }
}

/** Waits until nobody else leads, then manages until the end. */
async function lead(config: EnvManagerConfig, store: RevisionedStore, stopping: AbortSignal): Promise<void> {
  let told: string | undefined
  const { host, logLevel, advertisedUrl } = config
  const standby = await startStandby({ ...config, leader: () => told, logger: { level: logLevel } })
  const onWaiting = (leader: LeaderAddress): void => {
    told = leader.advertisedUrl
    standby.log.info({ leader: leader.url }, 'env-manager is a standby')
  }
  const replica = { store, clock: systemClock, replicaId: randomUUID(), url: standby.url }
  const campaign = { ...replica, advertisedUrl, signal: stopping, onWaiting }
  const presence = announceReplica(replica)
  try {
    const leadership = await winOrEnd(campaign, standby)
    await manageAsLeader({ ...config, host, port: standby.port }, leadership, stopping)
  } finally {
    await presence.stop()
  }
}

async function manageAsLeader(config: EnvManagerConfig, leadership: Leadership, stopping: AbortSignal): Promise<void> {
  leadership.lost.addEventListener('abort', () => process.exit(EXIT_DEPOSED), { once: true })
  try {
    await manage(config, { store: leadership.store, stopping, host: process.env })
  } finally {
    await leadership.resign()
  }
}

/** The port is free again afterwards, for the manager. */
async function winOrEnd(campaign: CampaignOptions, standby: Standby): Promise<Leadership> {
  try {
    return await Leadership.campaign(campaign)
  } finally {
    await standby.close()
  }
}

/** Aborts at the first SIGINT or SIGTERM, with its name as the reason. */
function stopOnSignal(): AbortSignal {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort(signal))
  return stopping.signal
}

try {
  await main()
} catch (error) {
  // A standby that is stopped has nothing to do first; the reason is the signal's name.
  if (typeof error === 'string') process.exit(0)
  process.stderr.write(`${isAppError(error) ? `${error.code}: ${error.message}` : String(error)}\n`)
  process.exitCode = 1
}
