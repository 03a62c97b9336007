/** One figure. `ratio` is value / peer; `holds` is null where the figure has no target. */
export interface BenchResult {
  readonly bench: string
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The same measured on a peer in the same run, and who that is. */
  readonly peer: { readonly name: string; readonly value: number } | null
  readonly ratio: number | null
  readonly target: string | null
  readonly holds: boolean | null
}

/** What a bench says about one figure; the rest is computed. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly peer?: { readonly name: string; readonly value: number }
  /** Text of the target, and whether this figure meets it. */
  readonly target?: { readonly text: string; readonly holds: (value: number, ratio: number | null) => boolean }
}

/** Completes a figure with its ratio and verdict. */
export function toResult(bench: string, figure: Figure): BenchResult {
  const ratio = figure.peer === undefined || figure.peer.value === 0 ? null : figure.value / figure.peer.value
  return {
    bench,
    name: figure.name,
    value: round(figure.value),
    unit: figure.unit,
    peer: figure.peer === undefined ? null : { name: figure.peer.name, value: round(figure.peer.value) },
    ratio: ratio === null ? null : round(ratio),
    target: figure.target?.text ?? null,
    holds: figure.target === undefined ? null : figure.target.holds(figure.value, ratio),
  }
}

/** One line for people. */
export function formatResult(result: BenchResult): string {
  const peer =
    result.peer === null
      ? ''
      : `  peer ${result.peer.name}: ${result.peer.value} ${result.unit}${result.ratio === null ? '' : ` (x ${result.ratio})`}`
  const verdict = result.holds === null ? '' : result.holds ? '  ok' : '  MISSED'
  const target = result.target === null ? '' : `  target ${result.target}${verdict}`
  return `${result.bench.padEnd(12)} ${result.name.padEnd(44)} ${String(result.value).padStart(12)} ${result.unit}${peer}${target}`
}

/** The q-quantile (0..1) by the nearest-rank method; `values` need not be sorted. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}
