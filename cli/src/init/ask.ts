import { cancel, group, intro, text } from '@clack/prompts'
import { cliError } from '../errors.js'
import type { Answers } from './answers.js'

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/** What is to be asked: only what goes into the files that are to be written. */
export interface Questions {
  readonly proposed: Answers
  readonly service: boolean
  readonly platform: boolean
}

/** Asks a person at a terminal, with what was found as proposals. `CLI_CANCELED` when they end it. */
export async function ask({ proposed, service, platform }: Questions): Promise<Answers> {
  intro(
    `A first ${[service ? 'service.yaml' : '', platform ? 'tributary.config.yaml' : ''].filter(Boolean).join(' and ')}`,
  )
  const ofService = service ? await askService(proposed) : {}
  const ofPlatform = platform ? await askPlatform(proposed) : {}
  return { ...proposed, ...ofService, ...ofPlatform }
}

async function askService(proposed: Answers): Promise<Partial<Answers>> {
  const { port, dependsOn, ...said } = await group(
    {
      service: () => question('What is the service called?', proposed.service, isLabel),
      port: () => question('Which port does it listen on?', String(proposed.port), isPort),
      command: () => question('Which command starts it here?', proposed.command),
      readiness: () =>
        question('Which path answers 200 when it can be called? (empty: none)', proposed.readiness, isPath),
      dependsOn: () =>
        question(
          'Which services does it call? (with commas between; empty: none)',
          proposed.dependsOn.join(', '),
          areLabels,
        ),
    },
    { onCancel },
  )
  return { ...said, port: Number(port), dependsOn: namesIn(dependsOn) }
}

function askPlatform(proposed: Answers): Promise<Partial<Answers>> {
  return group(
    {
      repository: () => question('Which git repository is it in?', proposed.repository),
      integrationBranch: () => question('Which branch does everybody fall back to?', proposed.integrationBranch),
    },
    { onCancel },
  )
}

function onCancel(): never {
  cancel('Nothing was written.')
  throw cliError('CLI_CANCELED', 'the questions were not answered; run it again, or give options with --yes')
}

type Check = (value: string) => string | undefined

const isPresent: Check = (value) => (value.trim() === '' ? 'Something is needed here.' : undefined)

function question(message: string, initialValue: string, check: Check = isPresent) {
  return text({ message, initialValue, validate: (value) => check((value ?? '').trim()) }).then((answer) =>
    typeof answer === 'string' ? answer.trim() : answer,
  )
}

function namesIn(answer: string): readonly string[] {
  return answer.split(/[\s,]+/).filter((name) => name !== '')
}

const isLabel: Check = (value) =>
  LABEL.test(value) ? undefined : 'Lower-case letters, digits and - only, like orders-api; at most 63.'
const isPort: Check = (value) =>
  /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535 ? undefined : 'A number from 1 to 65535.'
const isPath: Check = (value) => (value === '' || value.startsWith('/') ? undefined : 'A path like /readyz.')
const areLabels: Check = (value) =>
  namesIn(value)
    .map(isLabel)
    .find((problem) => problem !== undefined)
