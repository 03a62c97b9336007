/**
 * Whether a chart of a registry (`oci://host[:port]/path`) is one that the operator named: by the registry, or by the beginning of a path in it. Ports count, but 443, which is
 * the same as none.
 */
export function isFromRegistries(chart: string, registries: readonly string[]): boolean {
  const place = placeOf(chart.replace(/^oci:\/\//, ''))
  return registries.map(placeOf).some((allowed) => place === allowed || place.startsWith(`${allowed}/`))
}

function placeOf(text: string): string {
  const [, host = '', rest = ''] = /^([^/]*)(.*)$/.exec(text) ?? []
  return host.toLowerCase().replace(/:443$/, '') + rest
}
