export { createGitSourceControl, type GitSourceControlOptions } from './git-source-control.js'
export { describeVersionOfDirectory, type DirectoryVersionOptions } from './git-version.js'
