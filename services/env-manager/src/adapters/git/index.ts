export { createGitSourceControl } from './git-source-control.js'
export { describeVersionOfDirectory } from './git-version.js'
