/** The version of this command line; `package.json` says the same, and a test compares them. */
export const CLI_VERSION = '0.1.0'
