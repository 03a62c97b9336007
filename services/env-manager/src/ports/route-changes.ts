/** The config center's route table as it changes: who owns what where, in all environments. */
export interface RouteChanges {
  /** What an environment sees of addresses, in a form that is the same as long as nothing of it changes. Undefined while it is not known. */
  fingerprintOf(environment: string): string | undefined
  /** Calls `handler` after every change of anything. Returns the unsubscription. */
  onChange(handler: () => void): () => void
}
