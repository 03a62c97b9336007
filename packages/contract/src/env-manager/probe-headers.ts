// Without typebox: see name-patterns.ts.

/** The header that marks a probe; its value is a signed token (docs/adr, "Probes"). */
export const PROBE_HEADER = 'tributary-probe'
/** The services that a probe still has to visit, nearest first, with commas between. */
export const PROBE_PATH_HEADER = 'tributary-probe-path'
/** The most services that one probe visits. */
export const MAX_PROBE_HOPS = 8
