export * from './config-center-client.js'
export * from './env-manager-client.js'
export type { ClientOptions } from './http.js'
