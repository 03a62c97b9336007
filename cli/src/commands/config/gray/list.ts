import type { GrayRelease, Subscription } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../../context.js'
import { jsonOption } from '../../../options.js'
import { age, NONE, oneLineJson } from '../../../output/format.js'
import { renderTable } from '../../../output/table.js'

/** `tributary config gray list <tenant>` */
export function addGrayList(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('list')
      .description('gray releases that are under way, and which live instances have them')
      .argument('<tenant>'),
  ).action(async (tenant: string, flags: { readonly json?: true }, command: Command) => {
    const client = await cli.configCenter(command)
    const read = { signal: cli.runtime.signal }
    const [{ releases }, { subscriptions }] = await Promise.all([
      client.listGrayReleases(tenant, read),
      client.listSubscriptions({ tenant }, read),
    ])
    const described = releases.map((release) => ({ ...release, live: liveOf(release, subscriptions) }))
    if (flags.json) return cli.terminal.printJson({ releases: described })
    if (described.length === 0) return cli.terminal.print(`No gray release is under way in ${tenant}.`)
    const now = cli.runtime.clock.now()
    const rows = described.map(({ service, patch, live, ...release }) => [
      service,
      oneLineJson(patch),
      release.percent === undefined ? (release.instances ?? []).join(', ') : `${release.percent} %`,
      `${live.have.length} of ${live.have.length + live.others}`,
      live.have.join(', ') || NONE,
      age(release.at, now),
      release.onBehalfOf ?? release.actor,
    ])
    const head = ['service', 'sets', 'reaches', 'live', 'instances', 'since', 'who']
    cli.terminal.print(renderTable(cli.terminal.style, head, rows))
  })
}

/** Names of the live instances that have a release, and how many of the service have not. */
function liveOf({ service }: GrayRelease, subscriptions: readonly Subscription[]) {
  const followers = subscriptions.filter((subscription) => subscription.service === service)
  const have = followers.filter(({ gray }) => gray === true).map(({ instance }) => instance)
  return { have: have.sort(), others: followers.length - have.length }
}
