// npm start: installs and builds if needed, then plays the demo with the real command line, real git and real processes.
// `npm start` keeps everything running until Ctrl-C; `npm start -- --once` plays the whole story and removes what it made.
import { prepare } from './lib/prepare.mjs'

prepare()

const { playStory } = await import('./demo/story.mjs')
process.exitCode = await playStory({ once: process.argv.includes('--once') })
