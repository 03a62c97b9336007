/** How a check came out. `skipped`: there is nothing to check here. */
export type Verdict = 'ok' | 'warning' | 'failed' | 'skipped'

/** One thing that the doctor looked at. */
export interface Finding {
  /** What was looked at: `git`, `cluster: environments`. */
  readonly check: string
  readonly verdict: Verdict
  /** What was found, in one line. */
  readonly found: string
  /** What to do; there unless all is well. */
  readonly advice?: string
}

/** All is well. */
export const ok = (check: string, found: string): Finding => ({ check, verdict: 'ok', found })
/** There is nothing to check. */
export const skipped = (check: string, found: string): Finding => ({ check, verdict: 'skipped', found })
/** It works, but something may not. */
export const warning = (check: string, found: string, advice: string): Finding => ({
  check,
  verdict: 'warning',
  found,
  advice,
})
/** It does not work. */
export const failed = (check: string, found: string, advice: string): Finding => ({
  check,
  verdict: 'failed',
  found,
  advice,
})
