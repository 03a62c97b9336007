import { cancel, group, intro, text } from '@clack/prompts'
import { badValue } from '../errors.js'
import type { Answers } from './answers.js'

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/** Asks a person at a terminal, with what was found as proposals. Ctrl-C ends it, and nothing is written. */
export async function ask(proposed: Answers): Promise<Answers> {
  intro('A first service.yaml and tributary.config.yaml')
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
      repository: () => question('Which git repository is it in?', proposed.repository, isPresent),
      integrationBranch: () =>
        question('Which branch does everybody fall back to?', proposed.integrationBranch, isPresent),
    },
    {
      onCancel: () => {
        cancel('Nothing was written.')
        throw badValue('the questions were not answered; nothing was written; run it again, or give options with --yes')
      },
    },
  )
  return { ...proposed, ...said, port: Number(port), dependsOn: namesIn(dependsOn) }
}

type Check = (value: string) => string | undefined

function question(message: string, initialValue: string, check: Check = isPresent) {
  return text({ message, initialValue, validate: (value) => check(value ?? '') })
}

function namesIn(answer: string): readonly string[] {
  return answer.split(/[\s,]+/).filter((name) => name !== '')
}

const isPresent: Check = (value) => (value.trim() === '' ? 'Something is needed here.' : undefined)
const isLabel: Check = (value) =>
  LABEL.test(value) ? undefined : 'Lower-case letters, digits and - only, like orders-api.'
const isPort: Check = (value) =>
  Number(value) >= 1 && Number(value) <= 65_535 ? undefined : 'A number from 1 to 65535.'
const isPath: Check = (value) => (value === '' || value.startsWith('/') ? undefined : 'A path like /readyz.')
const areLabels: Check = (value) =>
  namesIn(value)
    .map(isLabel)
    .find((problem) => problem !== undefined)
