/** `npm test`: lint, types and every test. */
import { run } from '../../functions/shared/process/run.ts'
import { runSteps } from './steps.ts'

const usage = `npm test [-- FILE …]
Runs lint, types and every test, against real PostgreSQL, NATS and MongoDB.
  FILE …   only these test files; what else vitest understands is passed on`

await run(async () => {
  const args = process.argv.slice(2)
  if (args.includes('--help')) return console.log(usage)
  return runSteps([
    ['npm', 'run', '--silent', 'lint'],
    ['npm', 'run', '--silent', 'typecheck'],
    ['vitest', 'run', ...args],
  ])
})
