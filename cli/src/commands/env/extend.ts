import type { Environment } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { badValue } from '../../errors.js'
import { jsonOption } from '../../options.js'
import { age } from '../../output/format.js'

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** `tributary env extend <name> <span>` */
export function addEnvExtend(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('extend')
      .description('keep it for so long from now, although its time to live ends before')
      .argument('<name>')
      .argument('<span>', 'like 12h, 3d or 2w; at most a year', parseSpan),
  ).action(async (...call: [string, number, { json?: true }, Command]) => {
    const [name, spanMs, { json }, command] = call
    const now = cli.runtime.clock.now()
    const keepUntil = new Date(now + spanMs)
    const client = await cli.envManager(command)
    const environment = await client.patchEnvironment(name, { keepUntil: keepUntil.toISOString() })
    if (json) return cli.terminal.printJson(environment)
    cli.terminal.print(effectOn(environment, { keepUntil, now }))
  })
}

function effectOn({ name, expiresAt, pinned }: Environment, at: { keepUntil: Date; now: number }): string {
  if (expiresAt === null) return `${name} ${pinned ? 'is pinned and' : 'has no time to live: it'} never expires`
  const isLater = Date.parse(expiresAt) > at.keepUntil.getTime()
  return `${name} expires ${age(expiresAt, at.now)}${isLater ? ': its time to live ends later than that anyway' : ''}`
}

function parseSpan(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,4})(h|d|w)$/.exec(text) ?? []
  const ms = Number(digits) * (UNIT_MS[unit] ?? Number.NaN)
  if (ms > 0) return ms
  throw badValue(`${JSON.stringify(text)} is not a span; write it like 12h, 3d or 2w`)
}
