import { signal } from '@preact/signals'

const NARROW = matchMedia('(max-width: 720px)')
/** True on a phone, where tables become cards. */
export const narrow = signal(NARROW.matches)
NARROW.addEventListener('change', () => (narrow.value = NARROW.matches))
