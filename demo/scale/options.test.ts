import { describe, expect, it } from 'vitest'
import { readOptions, usage } from './options.ts'
import { scenarios } from '../../local/scenarios.ts'

describe('the options of the load demo', () => {
  it('default to a usual day at the shop on this machine', () => {
    expect(readOptions([], {})).toMatchObject({
      scenario: 'usual',
      seconds: 60,
      rate: 10,
      url: 'http://localhost:8080',
      namespace: undefined,
      html: '.data/scale.html',
    })
  })

  it('take the shop from the same variables as npm run demo', () => {
    expect(readOptions([], { PORT: '9000' })).toMatchObject({ url: 'http://localhost:9000' })
    expect(readOptions([], { PORT: '9000', SHOP_URL: 'https://shop.example.org/' })).toMatchObject({
      url: 'https://shop.example.org',
    })
  })

  it('are refused with a message that says what is wrong', () => {
    expect(() => readOptions(['--scenario', 'monday'], {})).toThrow('usual, black-friday, spike')
    expect(() => readOptions(['--rate', 'much'], {})).toThrow('--rate much: must be a number')
    expect(() => readOptions(['--seconds', '0'], {})).toThrow('from 5 to 3600')
    expect(() => readOptions(['--url', 'localhost:8080'], {})).toThrow('must be a full URL')
    expect(() => readOptions(['--fast'], {})).toThrow("Unknown option '--fast'")
  })

  it('include every scenario in the usage', () => {
    expect(readOptions(['--help'], {})).toBe('help')
    for (const name of Object.keys(scenarios)) expect(usage).toContain(name)
  })
})
