/** A name that fits into `length` characters: the middle is left out, since services often differ at their ends. */
export function shortName(name: string, length: number): string {
  if (name.length <= length) return name
  const tail = Math.floor((length - 1) / 2)
  return `${name.slice(0, length - 1 - tail)}…${name.slice(name.length - tail)}`
}
