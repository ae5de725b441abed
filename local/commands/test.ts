/** `npm test`: runs the linter, the type check and all tests. */
import { run } from '../../functions/shared/process/run.ts'
import { runSteps } from './steps.ts'

const usage = `npm test [-- FILE …]
Runs the linter, the type check and all tests, against real PostgreSQL, NATS and MongoDB.
  FILE …   runs only these test files; other options are passed to vitest`

await run(async () => {
  const args = process.argv.slice(2)
  if (args.includes('--help')) return console.log(usage)
  return runSteps([
    ['npm', 'run', '--silent', 'lint'],
    ['npm', 'run', '--silent', 'typecheck'],
    ['vitest', 'run', ...args],
  ])
})
