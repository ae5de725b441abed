import { ThemeContext } from '@grafana/data'
import { GlobalStyles } from '@grafana/ui'
import { createRoot } from 'react-dom/client'
import { Board, isEmpty, nothingOf } from './board.tsx'
import type { Drawing, Drawn } from './drawing.ts'
import { framesOf } from './frames.ts'
import { theme } from './theme.ts'

declare global {
  /** Is there before this script runs. */
  var drawing: Drawing
  /** Is there once everything has been drawn. */
  var drawn: Drawn | undefined
}

const problems: Record<string, string> = {}
const framed = await Promise.all(
  drawing.panels.map(async (answered) => {
    try {
      return { ...answered, frames: await framesOf(answered) }
    } catch (error) {
      return { ...answered, frames: [], problem: String(error) }
    }
  }),
)
createRoot(document.querySelector('#root')!).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <Board
      drawing={drawing}
      framed={framed}
      onProblem={(title, problem) => void (problems[title] = problem)}
    />
  </ThemeContext.Provider>,
)
await document.fonts.ready
// charts draw in the frame after the one in which they learn their size
for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame)
const empty = framed.filter(
  (each) =>
    each.panel.type !== 'row' &&
    each.problem === undefined &&
    isEmpty(each) &&
    nothingOf(each.panel) === undefined,
)
globalThis.drawn = { problems, empty: empty.map(({ panel }) => panel.title) }
