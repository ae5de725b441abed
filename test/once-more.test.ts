import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'suite-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string) => writeFileSync(join(folder, name), text)

/** Runs a suite in the folder. `runs` are the lines that it wrote to runs.txt. */
function once(command: string[]) {
  write('verdicts', 'FLAKY  of another suite\n')
  write('runs.txt', '')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'once-more.ts'), 'verdicts', ...command],
    { cwd: folder, encoding: 'utf8' },
  )
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  const verdicts = read('verdicts').replace('FLAKY  of another suite\n', '')
  return { status, output: stdout + stderr, verdicts, runs: read('runs.txt').trim().split('\n') }
}

describe('a suite of vitest', () => {
  it('has the file that failed run again alone, in a set-up of its own', { timeout: 60_000 }, () => {
    symlinkSync(join(import.meta.dirname, '../node_modules'), join(folder, 'node_modules'))
    const note = (what: string) => `appendFileSync('runs.txt', '${what}\\n')`
    write('vitest.config.ts', `export default { test: { globalSetup: ['set-up.ts'] } }`)
    write('set-up.ts', `import { appendFileSync } from 'node:fs'; export default () => ${note('set-up')}`)
    const imports = `import { appendFileSync, readFileSync } from 'node:fs'; import { expect, it } from 'vitest'`
    write('good.test.ts', `${imports}\n${note('good')}; it('is well', () => {})`)
    write(
      'flaky.test.ts',
      `${imports}
       ${note('flaky')}
       const runs = readFileSync('runs.txt', 'utf8').split('flaky').length - 1
       it('comes up', () => expect(runs).toBe(2))`,
    )

    const vitest = join(folder, 'node_modules/.bin/vitest')
    const { status, verdicts, runs, output } = once([vitest, 'run', '--reporter=verbose', '--reporter=json'])
    expect(status).toBe(0)
    expect(runs.slice(0, 3).toSorted()).toEqual(['flaky', 'good', 'set-up'])
    expect(runs.slice(3)).toEqual(['set-up', 'flaky'])
    expect(verdicts).toMatch(
      /^FLAKY {2}flaky\.test\.ts\n {4}comes up\n {4}AssertionError: expected 1 to be 2.*\n {8}at .*flaky\.test\.ts:4:\d+\n$/,
    )
    expect(output).toContain('Once more, alone: flaky.test.ts')
  })
})

describe('a suite that is a script', () => {
  /** Fails as `fails` says, which knows how often it ran before and the names that it was given. */
  function suite(fails: string) {
    write(
      'suite.mjs',
      `import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
       const [outputFile] = process.argv.slice(2).filter((arg) => arg.startsWith('--outputFile='))
       const names = process.argv.slice(2).filter((arg) => !arg.startsWith('--'))
       const before = readFileSync('runs.txt', 'utf8').split('\\n').length - 1
       appendFileSync('runs.txt', (names.join(' ') || 'all') + '\\n')
       const report = (...failed) => {
         const testResults = failed.map((name) => ({ name, status: 'failed', message: name + ' fell', assertionResults: [] }))
         writeFileSync(outputFile.slice('--outputFile='.length), JSON.stringify({ testResults }))
         process.exitCode = failed.length === 0 ? 0 : 1
       }
       ${fails}`,
    )
    return once([process.execPath, 'suite.mjs', '--seed=1'])
  }

  it('passes and adds no verdict if nothing fails', () => {
    expect(suite('report()')).toEqual({ status: 0, output: '', verdicts: '', runs: ['all'] })
  })

  it('passes despite a flaky file, whose failure is kept', () => {
    const { status, verdicts, runs } = suite(`before === 0 ? report('broker') : report()`)
    expect({ status, verdicts, runs }).toEqual({
      status: 0,
      verdicts: 'FLAKY  broker\n    broker fell\n',
      runs: ['all', 'broker'],
    })
  })

  it('is run again as a whole if it failed outside its files, as in its set-up', () => {
    const { status, verdicts, runs } = suite(
      `if (before === 0) { console.log('the shop did not come up'); process.exit(1) }`,
    )
    expect(status).toBe(0)
    expect(verdicts).toMatch(/^FLAKY {2}\S+ suite\.mjs --seed=1\n {4}the shop did not come up\n$/)
    expect(runs).toEqual(['all', 'all'])
  })

  it('fails at once if more files fail than chance explains', () => {
    const { status, verdicts, runs } = suite(`report('a', 'b', 'c', 'd')`)
    expect(status).toBe(1)
    expect(verdicts.match(/^FAILED {2}/gm)).toHaveLength(4)
    expect(runs).toEqual(['all'])
  })

  it('fails for a file that fails twice, after the other files had their second run', () => {
    const { status, verdicts, runs } = suite(
      `if (before === 0) report('a', 'b'); else report(...names.filter((name) => name === 'a'))`,
    )
    expect({ status, verdicts, runs }).toEqual({
      status: 1,
      verdicts: 'FAILED TWICE  a\n    a fell\nFLAKY  b\n    b fell\n',
      runs: ['all', 'a', 'b'],
    })
  })

  it('fails if it is killed twice', () => {
    const { status, verdicts } = suite(`process.kill(process.pid, 'SIGKILL')`)
    expect(status).toBe(1)
    expect(verdicts).toMatch(/^FAILED TWICE {2}/)
  })
})
