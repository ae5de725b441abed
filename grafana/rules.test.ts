import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { runbookOf } from './alert.ts'
import { knownNames, namesIn } from './query-names.ts'
import { alerts } from './rules.ts'

interface RuleTest {
  tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[]
}

const tests = join(import.meta.dirname, 'rules/tests')
const cases = readdirSync(tests)
  .map((file) => parse(readFileSync(join(tests, file), 'utf8')) as RuleTest)
  .flatMap((file) => file.tests.flatMap((test) => test.alert_rule_test))

const runbooks = join(import.meta.dirname, '../docs/runbooks')
const names = [...new Set(Object.values(alerts).flatMap((list) => list.map(({ name }) => name)))]

describe.each(Object.entries(alerts))('the alerts of %s', (_, list) => {
  it('read only metrics that someone exports', () => {
    expect(
      list.flatMap(({ name, expr }) => {
        const read = namesIn(expr)
        const unknown = read.filter((word) => !knownNames.has(word))
        return read.length === 0 || unknown.length > 0 ? [{ name, unknown }] : []
      }),
    ).toEqual([])
  })

  it('are each tested to fire, and to stay quiet after and before that', () => {
    for (const { name } of list) {
      const expected = cases
        .filter(({ alertname }) => alertname === name)
        .map(({ exp_alerts }) => exp_alerts.length > 0)
      expect({ name, expected: new Set(expected) }).toEqual({ name, expected: new Set([true, false]) })
    }
  })

  it('can be told apart', () => {
    const told = list.map(({ name, severity, labels }) => JSON.stringify({ name, severity, labels }))
    expect(new Set(told).size).toBe(told.length)
  })
})

describe('the runbooks', () => {
  it('are there for each alert, and for nothing else', () => {
    expect(readdirSync(runbooks).toSorted()).toEqual(names.map((name) => `${runbookOf(name)}.md`).toSorted())
  })

  it('each say what the alert means, what to look at and what to do', () => {
    for (const name of names) {
      const text = readFileSync(join(runbooks, `${runbookOf(name)}.md`), 'utf8')
      const headings = [...text.matchAll(/^#+ .+$/gm)].map(([line]) => line)
      expect(headings).toEqual([`# ${name}`, '## What it means', '## What to look at', '## What to do'])
    }
  })
})
