export { createGitSourceControl, type GitSourceControlOptions } from './git-source-control.js'
export { redactUrls } from './git-url.js'
export { describeVersionOfDirectory, type DirectoryVersionOptions } from './git-version.js'
