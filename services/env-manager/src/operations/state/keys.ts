/** Where the manager keeps what in its store. Names and branches are never parsed out of keys: they stand in the values. */
export const stateKeys = {
  environments: 'em/environment/',
  environment: (name: string): string => `em/environment/${name}`,
  names: 'em/name/',
  name: (name: string): string => `em/name/${name}`,
  branch: (branch: string): string => `em/branch/${branch}`,
  suspensions: 'em/suspended/',
  suspension: (branch: string): string => `em/suspended/${branch}`,
  ledgerOf: (environment: string): string => `em/ledger/${environment}/`,
  ledgerLine: (line: { environment: string; generation: number; kind: string; id: string }): string =>
    `em/ledger/${line.environment}/${line.generation}/${line.kind}/${line.id}`,
  receiptsOf: (environment: string): string => `em/receipt/${environment}/`,
  receipt: (environment: string, generation: number): string =>
    `em/receipt/${environment}/${String(generation).padStart(9, '0')}`,
  runs: 'em/run/',
  run: (runId: string): string => `em/run/${runId}`,
  runsOf: (environment: string): string => `em/run-of/${environment}/`,
  runOf: (environment: string, runId: string): string => `em/run-of/${environment}/${runId}`,
  secretsOf: (environment: string): string => `em/secret/${environment}/`,
  secret: (environment: string, service: string): string => `em/secret/${environment}/${service}`,
  tenantToken: (environment: string): string => `em/tenant-token/${environment}`,
  defaultsOf: (environment: string): string => `em/defaults/${environment}/`,
  defaults: (environment: string, service: string): string => `em/defaults/${environment}/${service}`,
  contextKey: 'em/context-key',
  breaker: 'em/breaker',
} as const
