import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { Queue } from './queue.ts'
import type { Queueable } from './queue.ts'

interface Item extends Queueable<Item> {
  id: number
}

function same(item: Item | undefined, expected: Item | undefined): void {
  expect(item?.id).toBe(expected?.id)
}

it('keeps the order of its items like an array, whatever is removed', () => {
  const step = fc.oneof(
    fc.constant({ kind: 'push' as const }),
    fc.constant({ kind: 'unshift' as const }),
    fc.constant({ kind: 'shift' as const }),
    fc.record({ kind: fc.constant('remove' as const), which: fc.nat(30) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new Queue<Item>()
      const model: Item[] = []
      const all: Item[] = []
      for (const step of steps) {
        if (step.kind === 'push' || step.kind === 'unshift') {
          const item: Item = { id: all.length, next: undefined, previous: undefined, queued: false }
          all.push(item)
          queue[step.kind](item)
          model[step.kind](item)
        } else if (step.kind === 'shift') same(queue.shift(), model.shift())
        else {
          const item = all[step.which]
          if (!item) continue
          queue.remove(item)
          const at = model.indexOf(item)
          if (at >= 0) model.splice(at, 1)
        }
        expect(queue.length).toBe(model.length)
      }
      for (const item of model) expect(queue.shift()?.id).toBe(item.id)
      expect(queue.first).toBeUndefined()
    }),
  )
})
