/** Where the outside reaches environments: `<scheme>://<environment>.<domain>[:port]`. */
export interface GatewaySite {
  readonly scheme: 'http' | 'https'
  /** Lower case, without a dot at its ends. */
  readonly domain: string
  /** `https://feature-x.preview.example.com`, without a slash at the end. */
  originOf(environment: string): string
}

const TEMPLATE = /^(https?):\/\/\{environment\}\.([a-z0-9](?:[-a-z0-9.]{0,200}[a-z0-9])?)(?::([1-9]\d{0,4}))?\/?$/

/** Reads `https://{environment}.preview.example.com[:port]`; undefined when it is not of that form. */
export function parseSite(template: string): GatewaySite | undefined {
  const [, scheme, domain, port] = TEMPLATE.exec(template) ?? []
  if ((scheme !== 'http' && scheme !== 'https') || domain === undefined || domain.includes('..')) return undefined
  const suffix = port === undefined ? '' : `:${port}`
  return { scheme, domain, originOf: (environment) => `${scheme}://${environment}.${domain}${suffix}` }
}

/** `http://<environment>.localhost:<port>`: browsers lead it to this machine by themselves. */
export function localSite(port: () => number): GatewaySite {
  const suffix = (): string => (port() === 80 ? '' : `:${port()}`)
  return {
    scheme: 'http',
    domain: 'localhost',
    originOf: (environment) => `http://${environment}.localhost${suffix()}`,
  }
}
