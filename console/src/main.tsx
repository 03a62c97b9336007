import { render } from 'preact'
import { App } from './app.js'
import { startRouter } from './data/router.js'
import { startSignInFailure } from './features/session/sign-in-failure.js'
import { startTheme } from './data/theme.js'
import { startLanguage } from './i18n/i18n.js'
import { startClock } from './i18n/time.js'
import './styles/index.css'

startTheme()
startSignInFailure()
startRouter()
startClock()
await startLanguage()
const root = document.getElementById('app')
if (root !== null) render(<App />, root)
