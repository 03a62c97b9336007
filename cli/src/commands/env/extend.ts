import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { badValue } from '../../errors.js'
import { age } from '../../output/format.js'

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** `tributary env extend <name> <span>` */
export function addEnvExtend(parent: Command, cli: Cli): void {
  parent
    .command('extend')
    .description('keep it for so long from now, although its time to live ends before')
    .argument('<name>')
    .argument('<span>', 'like 12h, 3d or 2w; at most a year', parseSpan)
    .action(async (...call: [string, number, unknown, Command]) => {
      const [name, spanMs, , command] = call
      const now = cli.runtime.clock.now()
      const client = await cli.envManager(command)
      const { expiresAt } = await client.patchEnvironment(name, { keepUntil: new Date(now + spanMs).toISOString() })
      cli.terminal.print(expiresAt === null ? `${name} never expires` : `${name} expires ${age(expiresAt, now)}`)
    })
}

function parseSpan(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,4})(h|d|w)$/.exec(text) ?? []
  const ms = Number(digits) * (UNIT_MS[unit] ?? Number.NaN)
  if (ms > 0) return ms
  throw badValue(`${JSON.stringify(text)} is not a span; write it like 12h, 3d or 2w`)
}
