export * from './app-error.js'
export * from './backoff.js'
export * from './clock.js'
export * from './sse-parser.js'
