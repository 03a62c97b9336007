/** Renders docs/reference/permissions.md from the objects that `helm template` printed. */
export function renderPermissions(objects: readonly unknown[]): string
