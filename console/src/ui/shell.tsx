import type { ComponentChildren, JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { session, signOut } from '../api/session.js'
import { downSince, liveness } from '../data/connection.js'
import { linkTo, place } from '../data/router.js'
import { setTheme, theme } from '../data/theme.js'
import { formatTime, language, setLanguage, t, tWord } from '../i18n/i18n.js'
import { Button } from './button.js'
import { Select } from './field.js'
import { Icon } from './icon.js'
import { Logo } from './logo.js'
import { attempt } from './toast.js'

const PAGES = ['environments', 'runs', 'config', 'platform'] as const

/** The frame around every page: where one can go, who one is, and whether what is shown is fresh. */
export function Shell({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        {t('app.skip')}
      </button>
      <header class="side">
        <a class="brand" href={linkTo(['environments'])} aria-label={t('app.title')}>
          <Logo size={30} />
          <span>{t('app.title')}</span>
        </a>
        <Navigation />
        <div class="side-foot">
          <LiveState />
          <Preferences />
          <Account />
        </div>
      </header>
      <div class="body">
        <DownBanner />
        <main id="content" tabIndex={-1}>
          {children}
        </main>
      </div>
    </div>
  )
}

function Navigation(): JSX.Element {
  const current = place.value.segments[0] ?? 'environments'
  useEffect(() => {
    document.title = [...place.value.segments.slice(1, 2), tWord(`nav.${current}`, ''), t('app.title')]
      .filter((part) => part !== '')
      .join(' · ')
  }, [place.value, language.value])
  return (
    <nav class="nav" aria-label={t('app.nav')}>
      {PAGES.map((page) => (
        <a key={page} href={linkTo([page])} class="nav-link" aria-current={page === current ? 'page' : undefined}>
          <Icon name={page} size={20} />
          <span>{t(`nav.${page}`)}</span>
        </a>
      ))}
    </nav>
  )
}

function LiveState(): JSX.Element {
  const state = liveness.value
  return (
    <p class={`live live-${state}`} role="status" title={t(`live.${state}`)}>
      <span class="live-dot" aria-hidden="true" />
      <span class="live-text">{t(`live.${state}`)}</span>
    </p>
  )
}

function Preferences(): JSX.Element {
  return (
    <div class="preferences">
      <Select
        compact
        label={t('theme.label')}
        value={theme.value}
        choices={[
          { value: 'system', text: t('theme.system') },
          { value: 'light', text: t('theme.light') },
          { value: 'dark', text: t('theme.dark') },
        ]}
        onChange={(value) => setTheme(value === 'light' || value === 'dark' ? value : 'system')}
      />
      <Select
        compact
        label={t('language.label')}
        value={language.value}
        choices={[
          { value: 'en', text: 'English' },
          { value: 'zh', text: '中文' },
        ]}
        onChange={(value) => void setLanguage(value === 'zh' ? 'zh' : 'en')}
      />
    </div>
  )
}

function Account(): JSX.Element | null {
  const person = session.value
  if (person === undefined) return null
  return (
    <div class="account">
      <Icon name="user" size={20} />
      <span class="account-who">
        <strong title={person.name}>{person.name}</strong>
        <small>{tWord(`role.${person.role}`, person.role)}</small>
      </span>
      {person.by === 'bearer' ? null : (
        <Button kind="bare" onClick={() => void attempt(t('account.signOut'), signOut)}>
          {t('account.signOut')}
        </Button>
      )}
    </div>
  )
}

/** Says that the API does not answer, since when, and what that means for what is shown. */
export function DownBanner(): JSX.Element | null {
  const since = downSince.value
  if (since === undefined) return null
  return (
    <div class="banner" role="alert">
      <Icon name="alert" />
      <p>
        <strong>{t('down.title')}.</strong> {t('down.text', { time: formatTime(since) })}
      </p>
    </div>
  )
}
