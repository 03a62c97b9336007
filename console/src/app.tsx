import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { signedOut } from './api/request.js'
import { readSession, session, sessionState } from './api/session.js'
import { downSince } from './data/connection.js'
import { place } from './data/router.js'
import { ConfigPage } from './features/config/config-page.js'
import { EnvironmentPage } from './features/environments/environment-page.js'
import { EnvironmentsPage } from './features/environments/environments-page.js'
import { PlatformPage } from './features/platform/platform-page.js'
import { RunPage } from './features/runs/run-page.js'
import { RunsPage } from './features/runs/runs-page.js'
import { SignIn } from './features/session/sign-in.js'
import { t } from './i18n/i18n.js'
import { Empty } from './ui/loaded-view.js'
import { DownBanner, Shell } from './ui/shell.js'
import { Toasts } from './ui/toast.js'

const RETRY_MS = 1500

/** The whole page: who is signed in, then what the address names. */
export function App(): JSX.Element {
  useSession()
  const state = sessionState.value
  if (state === undefined) return <Starting />
  if (session.value === undefined) {
    return (
      <>
        <DownBanner />
        <SignIn state={state} />
      </>
    )
  }
  return (
    <Shell>
      <Page />
      <Toasts />
    </Shell>
  )
}

/** Asks who is signed in until there is an answer, and again when the API says that nobody is. */
function useSession(): void {
  const [tries, setTries] = useState(0)
  const refused = signedOut.value
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    readSession().catch(() => {
      timer = setTimeout(() => setTries(tries + 1), RETRY_MS)
    })
    return () => clearTimeout(timer)
  }, [tries, refused])
}

function Starting(): JSX.Element {
  return (
    <main class="sign-in" id="content">
      {downSince.value === undefined ? (
        <p role="status" class="loading">
          {t('load.loading')}
        </p>
      ) : (
        <DownBanner />
      )}
    </main>
  )
}

function Page(): JSX.Element {
  const { segments } = place.value
  const [page = 'environments', name, tab] = segments
  if (page === 'environments') {
    return name === undefined ? (
      <EnvironmentsPage />
    ) : (
      <EnvironmentPage key={name} name={name} tab={tab ?? 'topology'} />
    )
  }
  if (page === 'runs') return name === undefined ? <RunsPage /> : <RunPage key={name} runId={name} />
  if (page === 'config') return <ConfigPage tenant={name} service={tab} />
  if (page === 'platform') return <PlatformPage />
  return <Empty title={t('notFound.title')}>{t('notFound.text')}</Empty>
}
