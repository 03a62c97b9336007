// Without typebox: see name-patterns.ts.

/**
 * What becomes of a write after which a resolved document breaks its schema at a place where it did not before:
 *
 * | mode | in views of the tenants that the write names | in views of tenants that overlay them |
 * | --- | --- | --- |
 * | own (default) | refused, 422 `SCHEMA_VIOLATION` | a warning |
 * | all | refused | refused |
 * | warn | a warning | a warning |
 */
export const SCHEMA_MODES = ['own', 'all', 'warn'] as const
