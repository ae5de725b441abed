import { describe, expect, it } from 'vitest'
import { readOptions, usage } from './options.ts'
import { scenarios } from './scenarios.ts'

describe('the options of the load demo', () => {
  it('are a usual day at the shop of this machine unless told otherwise', () => {
    expect(readOptions([], {})).toMatchObject({
      scenario: 'usual',
      seconds: 60,
      rate: 10,
      url: 'http://localhost:8080',
      namespace: undefined,
      html: '.data/scale.html',
    })
  })

  it('take the shop from where npm run demo takes it', () => {
    expect(readOptions([], { PORT: '9000' })).toMatchObject({ url: 'http://localhost:9000' })
    expect(readOptions([], { PORT: '9000', SHOP_URL: 'https://shop.example.org/' })).toMatchObject({
      url: 'https://shop.example.org',
    })
  })

  it('say what is wrong with them', () => {
    expect(() => readOptions(['--scenario', 'monday'], {})).toThrow('usual, black-friday, spike')
    expect(() => readOptions(['--rate', 'much'], {})).toThrow('--rate much: it has to be a number')
    expect(() => readOptions(['--seconds', '0'], {})).toThrow('from 5 to 3600')
    expect(() => readOptions(['--url', 'localhost:8080'], {})).toThrow('a whole URL')
    expect(() => readOptions(['--fast'], {})).toThrow("Unknown option '--fast'")
  })

  it('tell of every scenario', () => {
    expect(readOptions(['--help'], {})).toBe('help')
    for (const name of Object.keys(scenarios)) expect(usage).toContain(name)
  })
})
