export { killInstance } from './kill-instance.js'
export { createLocalPlatform } from './local-platform.js'
