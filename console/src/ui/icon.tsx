import type { JSX } from 'preact'

const PATHS = {
  environments: 'M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z',
  runs: 'M8 5.5v13l10.5-6.5z',
  config: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5',
  platform: 'M4 5h16v5H4zM4 14h16v5H4zM7.5 7.5h.01M7.5 16.5h.01',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  external: 'M14 5h5v5M19 5l-8 8M17 14v5H5V7h5',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.3 15.3 20 20',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  cross: 'M6 6l12 12M18 6L6 18',
  alert: 'M12 4.5 21 19.5H3zM12 10v4.5M12 17h.01',
  spinner: 'M12 4a8 8 0 1 1-8 8',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.5l3 2',
  pin: 'M9 4h6l-1 6 3 3v2H7v-2l3-3zM12 15v5',
  moon: 'M19 14.5A8 8 0 0 1 9.5 5a8 8 0 1 0 9.5 9.5z',
  circle: 'M12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12z',
  skip: 'M6 12h12',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  fit: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  back: 'M14 6l-6 6 6 6',
  chevron: 'M9 6l6 6-6 6',
  refresh: 'M19 12a7 7 0 1 1-2.3-5.2M19 4v4h-4',
  user: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM5 20c.5-4 3-6 7-6s6.5 2 7 6',
  branch: 'M7 4v16M7 14c6 0 10-2 10-7M17 4v3',
  drop: 'M12 4c3.5 4.5 5.5 7 5.5 9.7A5.5 5.5 0 0 1 6.5 13.7C6.5 11 8.500 8.500 12 4z',
} as const

/** Name of a drawing. */
export type IconName = keyof typeof PATHS

/** A small drawing beside a text; programs that read the page aloud skip it. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }): JSX.Element {
  return (
    <svg
      class={`icon icon-${name}`}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
