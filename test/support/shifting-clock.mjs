// Preloaded into a process (NODE_OPTIONS=--import=…): each SIGUSR2 sets its wall clock to the next of these distances from the true time.
const HOUR_MS = 3_600_000
const SHIFTS_MS = [6 * HOUR_MS, -6 * HOUR_MS, 0]

const TrueDate = Date
let shiftMs = 0
let turn = 0

globalThis.Date = class extends TrueDate {
  constructor(...time) {
    if (time.length === 0) super(TrueDate.now() + shiftMs)
    else super(...time)
  }

  static now() {
    return TrueDate.now() + shiftMs
  }
}

process.on('SIGUSR2', () => {
  shiftMs = SHIFTS_MS[turn % SHIFTS_MS.length]
  turn += 1
})
