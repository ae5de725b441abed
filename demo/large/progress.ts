import pc from 'picocolors'

const width = 30
/** How often a bar is drawn, in ms. */
const drawMs = 100

interface Terminal {
  isTTY?: boolean
  columns?: number
  write: (text: string) => unknown
}

export type Progress = ReturnType<typeof createProgress>

/** Shows how far each step is: on a terminal as a bar, otherwise as a line for each tenth of the way. */
export function createProgress(
  terminal: Terminal = process.stdout,
  now: () => number = () => performance.now(),
) {
  return {
    /**
     * Begins a step.
     * @param total how much there is to do; it may turn out to be less
     */
    step(title: string, total: number) {
      const began = now()
      let done = 0
      let drawnAt = -Infinity
      let tenth = 0
      const seconds = () => `${((now() - began) / 1000).toFixed(0)} s`
      const count = () => `${done.toLocaleString('en')} of ${total.toLocaleString('en')}`

      const draw = () => {
        const full = total === 0 ? width : Math.round((Math.min(done, total) / total) * width)
        const bar = pc.green('█'.repeat(full)) + pc.dim('░'.repeat(width - full))
        terminal.write(`\r\u001b[2K${title.padEnd(30)} ${bar} ${count()}, ${seconds()}`)
      }
      const sayTenths = () => {
        const reached = Math.floor((10 * done) / Math.max(total, 1))
        if (reached > tenth && reached < 10) terminal.write(`${title}: ${count()}, ${seconds()}\n`)
        tenth = Math.max(tenth, reached)
      }

      if (terminal.isTTY) draw()
      return {
        /** Tells how much is done by now. */
        to(count: number) {
          done = count
          if (!terminal.isTTY) sayTenths()
          else if (now() - drawnAt >= drawMs) {
            drawnAt = now()
            draw()
          }
        },
        end() {
          if (terminal.isTTY) {
            draw()
            terminal.write('\n')
          } else terminal.write(`${title}: ${done.toLocaleString('en')} in ${seconds()}\n`)
        },
      }
    },
  }
}
