import type { Tributary } from '../tributary.js'

/** What the adapters of message brokers need of a client. */
export type MessagingClient = Pick<Tributary, 'tenant' | 'service' | 'messages'>
