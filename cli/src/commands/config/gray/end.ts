import type { ConfigCenterClient } from '@tributary/client'
import type { Command } from 'commander'
import type { Cli } from '../../../context.js'
import { reportWrite, timed } from '../report-write.js'
import { plainWriteOptions, toWriteOptions, type WriteFlags } from '../write-options.js'

/** How a gray release can end. */
const ENDINGS = [
  {
    name: 'promote',
    description: 'make what some instances have the document of all',
    method: 'promoteGrayRelease',
  },
  {
    name: 'abort',
    description: 'end a gray release: all instances have what they had before',
    method: 'abortGrayRelease',
  },
] as const satisfies readonly { name: string; description: string; method: keyof ConfigCenterClient }[]

/** `tributary config gray promote <tenant> <service>`, and `abort` */
export function addGrayEndings(parent: Command, cli: Cli): void {
  for (const { name, description, method } of ENDINGS) {
    plainWriteOptions(parent.command(name).description(description).argument('<tenant>').argument('<service>')).action(
      async (...call: [string, string, WriteFlags, Command]) => {
        const [tenant, service, flags, command] = call
        const client = await cli.configCenter(command)
        const [result, tookMs] = await timed(cli, () => client[method]({ tenant, service }, toWriteOptions(flags, cli)))
        reportWrite(cli, { result, tookMs, what: `${tenant}/${service}`, json: flags.json })
      },
    )
  }
}
