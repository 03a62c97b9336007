import type { JSX } from 'preact'

/** The mark of the product: branches that flow together. */
export function Logo({ size }: { readonly size: number }): JSX.Element {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" />
      <path d="M7 6c0 8 9 6 9 14v6M25 6c0 8-9 6-9 14" />
    </svg>
  )
}
