export type * from './revisioned-store.js'
