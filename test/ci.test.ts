import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ci-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Runs CI in a project whose suites are these shell commands, on a machine with a Docker engine and a cluster. */
function ci(scripts: Record<string, string>) {
  cpSync(join(root, '.ci'), join(folder, '.ci'), { recursive: true })
  cpSync(join(root, 'test/once-more.ts'), join(folder, 'test/once-more.ts'))
  mkdirSync(join(folder, 'local/commands'), { recursive: true })
  writeFileSync(join(folder, 'local/commands/install.js'), '')
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', scripts }))
  const bin = join(folder, 'node_modules/.bin')
  mkdirSync(bin, { recursive: true })
  symlinkSync(process.execPath, join(bin, 'node'))
  writeFileSync(join(bin, 'docker'), '#!/bin/sh\n', { mode: 0o755 })
  const { status, stdout } = spawnSync(join(folder, '.ci/run'), {
    encoding: 'utf8',
    env: { ...process.env, KUBECONFIG: 'a cluster' },
  })
  return { status, lines: stdout.trim().split('\n') }
}

/** Fails the first time and says so, then passes. */
const flaky =
  'if [ -f once ]; then echo all is well; else touch once; echo the shop did not come up; exit 1; fi; :'

it('passes with a flaky suite, and names it and its failure at the end', () => {
  const scripts = {
    test: ':',
    'test:users': ':',
    'test:schema': ':',
    'test:faults': ':',
    'test:compose': flaky,
    'test:monitoring': ':',
    'test:knative': 'echo on a cluster; :',
  }
  const { status, lines } = ci(scripts)
  expect(lines).toContain('on a cluster')
  const [verdict, failure] = lines.slice(-2)
  expect(verdict).toMatch(/^FLAKY {2}npm run --silent test:compose /)
  expect([status, failure]).toEqual([0, '    the shop did not come up'])
})

it('fails at the end if a suite fails twice, after the other suites have run', () => {
  const scripts = {
    test: ':',
    'test:users': ':',
    'test:schema': ':',
    'test:faults': 'exit 1; :',
    'test:compose': ':',
    'test:monitoring': ':',
    'test:knative': 'echo on a cluster; :',
  }
  const { status, lines } = ci(scripts)
  expect(status).toBe(1)
  expect(lines).toContain('on a cluster')
  expect(lines.filter((line) => line.startsWith('FAILED TWICE'))).toHaveLength(2)
})

it('ends if npm test fails twice', () => {
  const { status, lines } = ci({ test: 'echo not well; exit 1; :', 'test:faults': 'echo faults' })
  expect([status, lines.at(-1)?.trim()]).toEqual([1, 'not well'])
  expect(lines).not.toContain('faults')
})
