// Without typebox: see name-patterns.ts.

/** The channels that one connection can carry. */
export const STREAM_CHANNELS = ['view', 'routes'] as const
export type StreamChannel = (typeof STREAM_CHANNELS)[number]
