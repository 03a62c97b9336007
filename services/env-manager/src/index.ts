export type * from './ports/environment-routes.js'
export type * from './ports/platform.js'
export type * from './ports/source-control.js'
