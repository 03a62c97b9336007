import type { DesiredService } from '../../domain/desired-services.js'
import type { StepRef } from '../run-recorder.js'

/** The steps of a deploy run in order, as they are announced when it begins. */
export function deploySteps(services: readonly DesiredService[]): readonly StepRef[] {
  const each = (name: string): readonly StepRef[] => services.map(({ service }) => ({ name, service }))
  return [
    { name: 'prepare' },
    { name: 'register-tenant' },
    ...each('generate-secrets'),
    ...each('deploy'),
    ...each('wait-healthy'),
    { name: 'register-services' },
    { name: 'configure-routes' },
    ...each('verify'),
    { name: 'retire' },
    { name: 'report' },
  ]
}
