import { namedMessage, type Condition } from '@tributary/contract'
import type { ResolvedBase } from './base-environment.js'
import {
  ASLEEP_REASON,
  replaceConditions,
  setCondition,
  type ConditionFinding,
  type FindingContext,
} from './conditions.js'
import type { DesiredServices } from './desired-services.js'
import type { EnvironmentRecord, ServiceRecord } from './environment-record.js'

/** Whether each definition, and the branch's `tributary.yaml`, can be used. */
export function definitionConditions(
  record: EnvironmentRecord,
  { desired, problem }: { readonly desired: DesiredServices; readonly problem: ResolvedBase['problem'] },
  context: FindingContext,
): readonly Condition[] {
  const invalid = desired.invalid.map(({ service, message }) => ({
    ...(service === undefined ? {} : { service }),
    status: 'False' as const,
    reason: 'DefinitionInvalid',
    message,
  }))
  const problems = [...desired.problems, ...(problem === null ? [] : [problem.message])]
  const environment =
    problems.length === 0
      ? { status: 'True' as const, reason: 'Valid', message: 'the branch’s files can be used' }
      : {
          status: 'False' as const,
          reason: problem?.reason ?? 'EnvironmentDefinitionInvalid',
          message: problems.join('\n'),
        }
  const nameless = invalid.filter((finding) => !('service' in finding))
  const joined =
    nameless.length === 0 ? [] : [{ ...nameless[0]!, message: nameless.map(({ message }) => message).join('\n') }]
  const findings = [...invalid.filter((finding) => 'service' in finding), ...joined]
  const conditions = replaceConditions(record.conditions, { type: 'DefinitionValid', findings }, context)
  return setCondition(conditions, { type: 'EnvironmentDefinitionValid', ...environment }, context)
}

/** `ServiceHealthy` of each service, `Ready` and `Reconciled`. */
export function healthConditions(record: EnvironmentRecord, context: FindingContext): readonly Condition[] {
  if (record.asleep) return sleepConditions(record, context)
  const findings = Object.values(record.services).map((service) => ({
    service: service.name,
    ...healthFinding(service, record.name),
  }))
  const wrong = findings.filter((finding) => finding.status !== 'True')
  const ready =
    wrong.length === 0
      ? { status: 'True' as const, reason: 'Ready', message: readyMessage(findings.length) }
      : {
          status: 'False' as const,
          reason: 'ServicesNotReady',
          message: wrong.map((one) => namedMessage(one.service, one.message)).join('\n'),
        }
  const withServices = replaceConditions(record.conditions, { type: 'ServiceHealthy', findings }, context)
  const withReady = setCondition(withServices, { type: 'Ready', ...ready }, context)
  return setCondition(
    withReady,
    { type: 'Reconciled', status: 'True', reason: 'Converged', message: 'nothing to do' },
    context,
  )
}

function readyMessage(services: number): string {
  return services === 0 ? 'it has no service of its own' : 'every own service serves the wanted commit'
}

/** Nothing of a sleeping environment is unhealthy: it is not there. */
function sleepConditions(record: EnvironmentRecord, context: FindingContext): readonly Condition[] {
  const rest = replaceConditions(record.conditions, { type: 'ServiceHealthy', findings: [] }, context)
  const message = 'the environment is asleep; calls fall back until somebody wakes it or pushes'
  const ready = setCondition(rest, { type: 'Ready', status: 'False', reason: ASLEEP_REASON, message }, context)
  return setCondition(
    ready,
    { type: 'Reconciled', status: 'True', reason: 'Converged', message: 'nothing to do' },
    context,
  )
}

function healthFinding(service: ServiceRecord, environment: string): Omit<ConditionFinding, 'type' | 'service'> {
  const { invalid, failure, deployed, health, healthMessage } = service
  if (invalid !== null) return { status: 'False', reason: 'DefinitionInvalid', message: invalid }
  if (failure !== null)
    return { status: 'False', reason: failure.final ? 'GaveUp' : 'DeployFailed', message: failure.message }
  if (service.waitsForImage === true && health !== 'unhealthy')
    return { status: 'Unknown', reason: 'WaitingForImage', message: waitingMessage(service, environment) }
  if (deployed === null) return { status: 'Unknown', reason: 'NotDeployed', message: 'no copy runs yet' }
  if (health === 'healthy') return { status: 'True', reason: 'Healthy', message: `${deployed.version} serves` }
  return { status: 'False', reason: 'Unhealthy', message: healthMessage ?? 'its copy is not healthy' }
}

function waitingMessage({ name, wantedCommit, deployed }: ServiceRecord, environment: string): string {
  const meanwhile = deployed === null ? '' : `; ${deployed.version} serves meanwhile`
  const command = `tributary deploy ${environment} ${name} --commit ${wantedCommit} --image …`
  return `it waits for the image of ${wantedCommit.slice(0, 7)}${meanwhile}; what builds it says so by \`${command}\``
}
