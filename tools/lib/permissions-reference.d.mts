/** Renders docs/reference/permissions.md from the objects that `helm template` printed, by default and for each setting of `kubernetes.mesh`. */
export function renderPermissions(
  objects: readonly unknown[],
  meshes: Readonly<Record<'gamma' | 'istio' | 'none', readonly unknown[] | undefined>>,
): string
