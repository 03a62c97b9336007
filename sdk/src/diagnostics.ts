/** What the SDK noticed and went on in spite of. */
export const DIAGNOSTIC_CODES = [
  'stream_ended',
  'stream_refused',
  'frame_invalid',
  'item_invalid',
  'hash_mismatch',
  'delta_gap',
  'server_behind',
  'history_reset',
  'snapshot_ignored',
  'snapshot_write_failed',
  'report_failed',
  'handler_failed',
  'config_invalid',
  'registration_lost',
  'registration_refused',
  'deregistration_failed',
  'context_lost',
] as const

/** One of {@link DIAGNOSTIC_CODES}. */
export type DiagnosticCode = (typeof DIAGNOSTIC_CODES)[number]

/** One diagnostic; `message` is for people and never holds a secret. */
export interface Diagnostic {
  readonly code: DiagnosticCode
  readonly message: string
  readonly cause?: unknown
}

/** Receives diagnostics. The SDK itself never writes to the console. */
export type DiagnosticListener = (diagnostic: Diagnostic) => void

/** Counts diagnostics by code and hands them on. */
export class Diagnostics {
  readonly #counts = new Map<DiagnosticCode, number>()
  readonly #listener: DiagnosticListener | undefined

  constructor(listener?: DiagnosticListener) {
    this.#listener = listener
  }

  /** Counts one and tells the listener. A listener that throws is the user's bug and must not stop the client: it is ignored. */
  report(code: DiagnosticCode, message: string, cause?: unknown): void {
    this.#counts.set(code, this.count(code) + 1)
    try {
      this.#listener?.(cause === undefined ? { code, message } : { code, message, cause })
    } catch {
      // Nowhere else to tell it: diagnostics are the last resort.
    }
  }

  /** How often `code` was reported. */
  count(code: DiagnosticCode): number {
    return this.#counts.get(code) ?? 0
  }

  /** All counts, for metrics. */
  counts(): Readonly<Partial<Record<DiagnosticCode, number>>> {
    return Object.fromEntries(this.#counts)
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
