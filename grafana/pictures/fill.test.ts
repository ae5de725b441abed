import { describe, expect, it } from 'vitest'
import { builtIn, fill, legend, stepOf } from './fill.ts'

describe('a query', () => {
  it('has its variables filled in, in both ways to write them', () => {
    const variables = { __rate_interval: '60s', function: 'create-order' }
    expect(fill('rate(a{f="$function", g="${function}"}[$__rate_interval])', variables)).toBe(
      'rate(a{f="create-order", g="create-order"}[60s])',
    )
  })

  it('is refused if a variable has no value', () => {
    expect(() => fill('a{f="$function"}', {})).toThrow('$function')
  })

  it('keeps the groups of a label_replace', () => {
    const query = 'label_replace(a, "f", "$1", "g", "(.+)")'
    expect(fill(query, {})).toBe(query)
  })
})

it('rates look back over at least four scrapes, and over more than a step', () => {
  expect(builtIn(3600, 15)).toEqual({ __range: '3600s', __interval: '15s', __rate_interval: '60s' })
  expect(builtIn(86_400, 300)['__rate_interval']).toBe('315s')
})

it('a graph has no more points than pixels, and none between two scrapes', () => {
  expect(stepOf(3600, 450)).toBe(15)
  expect(stepOf(86_400, 450)).toBe(300)
})

it('a legend names labels, and leaves out those that a series does not have', () => {
  expect(legend('p95 {{ db_operation_name }}', { db_operation_name: 'select' })).toBe('p95 select')
  expect(legend('handled {{error_type}}', {})).toBe('handled')
})
