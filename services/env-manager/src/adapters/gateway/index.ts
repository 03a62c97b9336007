export type { GatewayCallbacks } from './callback-address.js'
export type { GatewayDirectory } from './gateway-routing.js'
export { createLocalGateway, type LocalGateway } from './local-gateway.js'
