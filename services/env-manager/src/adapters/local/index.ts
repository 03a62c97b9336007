export type { LocalPlatformOptions } from './local-parts.js'
export { createLocalPlatform } from './local-platform.js'
export type { PortRange } from './port-allocator.js'
