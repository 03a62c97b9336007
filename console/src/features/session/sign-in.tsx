import type { SessionState } from '@tributary/contract'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { ApiFailure } from '../../api/api-failure.js'
import { oidcAddress, sessionOver, signInWithToken } from '../../api/session.js'
import { t, tWord } from '../../i18n/i18n.js'
import { Button } from '../../ui/button.js'
import { Icon } from '../../ui/icon.js'
import { Logo } from '../../ui/logo.js'
import { signInFailure } from './sign-in-failure.js'

/** Asks who the person is: by single sign-on where there is one, else with a token. */
export function SignIn({ state }: { readonly state: SessionState }): JSX.Element {
  const { oidc } = state.signIn
  return (
    <main class="sign-in" id="content">
      <div class="sign-in-card">
        <Logo size={44} />
        <h1>{t('signIn.title')}</h1>
        <p class="muted">{t('signIn.text')}</p>
        <WhyHere />
        {oidc === null ? null : (
          <>
            <a class="button button-primary button-wide" href={oidcAddress(oidc.path)}>
              {t('signIn.oidc', { provider: oidc.label })}
            </a>
            <p class="divider">{t('signIn.or')}</p>
          </>
        )}
        <TokenForm primary={oidc === null} />
      </div>
    </main>
  )
}

/** Why somebody who wanted to be in is here: the provider let them down, or the session is over. */
function WhyHere(): JSX.Element | null {
  const failed = signInFailure.value
  if (failed !== undefined) {
    return (
      <p class="note tone-bad" role="alert">
        <Icon name="alert" size={16} /> {tWord(`signIn.error.${failed}`, t('signIn.error.other', { code: failed }))}
      </p>
    )
  }
  if (!sessionOver.value) return null
  return (
    <p class="note tone-warn" role="status">
      <Icon name="clock" size={16} /> {t('signIn.over')}
    </p>
  )
}

/** What went wrong, and what to do: a token that is refused is told by the page, anything else by who has refused. */
function problemOf(error: unknown): string {
  if (error instanceof ApiFailure && error.status === 401) return t('signIn.wrong')
  return t('signIn.failed', { message: error instanceof Error ? error.message : String(error) })
}

function TokenForm({ primary }: { readonly primary: boolean }): JSX.Element {
  const [token, setToken] = useState('')
  const [problem, setProblem] = useState<string>()
  const submit = async (): Promise<void> => {
    setProblem(undefined)
    try {
      await signInWithToken(token.trim())
    } catch (error) {
      setProblem(problemOf(error))
    }
  }
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      <label class="field">
        <span class="field-label">{t('signIn.token')}</span>
        <input
          type="password"
          autocomplete="off"
          required
          value={token}
          aria-describedby="token-help"
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>
      <p class="muted small" id="token-help">
        {t('signIn.tokenHelp')}
      </p>
      {problem === undefined ? null : (
        <p class="note tone-bad" role="alert">
          <Icon name="alert" size={16} /> {problem}
        </p>
      )}
      <Button type="submit" kind={primary ? 'primary' : 'plain'} class="button-wide">
        {t('signIn.submit')}
      </Button>
    </form>
  )
}
