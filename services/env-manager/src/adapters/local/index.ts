export { killInstance } from './kill-instance.js'
export type { GatewayDirectory } from './gateway/gateway-routing.js'
export { createLocalGateway, type LocalGateway } from './gateway/local-gateway.js'
export { createLocalPlatform } from './local-platform.js'
