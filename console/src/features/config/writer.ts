/** Who wrote something: the person for whom it was written, with what tells them from others of the same name; else the token. */
export function writerOf(written: { readonly actor: string; readonly onBehalfOf?: string }): string {
  return written.onBehalfOf ?? written.actor
}
