import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { added, merged, removed, withDefault, type Saved } from './saved.ts'

/** What a customer may do with a list. A position is taken modulo its length. */
const action = fc.oneof(
  fc.record({ type: fc.constant('add' as const), isDefault: fc.boolean() }),
  fc.record({ type: fc.constantFrom('remove' as const, 'default' as const), at: fc.nat(30) }),
)

type Action = typeof action extends fc.Arbitrary<infer A> ? A : never

let count = 0
const ids = (list: readonly Saved[]) => list.map(({ id }) => id)
const defaultsOf = (list: readonly Saved[]) => list.filter(({ isDefault }) => isDefault)

function act(list: Saved[], done: Action): Saved[] {
  if (done.type === 'add') return added(list, { id: `item ${count++}`, isDefault: done.isDefault })
  const item = list[done.at % (list.length || 1)]
  if (item === undefined) return list
  return done.type === 'remove' ? removed(list, item.id) : withDefault(list, item.id)
}

const lists = fc.array(action, { maxLength: 15 }).map((actions) => actions.reduce(act, []))

describe('what a customer has saved', () => {
  it('has exactly one default, unless it is empty', () => {
    fc.assert(
      fc.property(lists, (list) => {
        expect(defaultsOf(list)).toHaveLength(Math.min(list.length, 1))
      }),
    )
  })

  it('gains the new item at its end, which is the default if it asks to be or is the first', () => {
    fc.assert(
      fc.property(lists, fc.boolean(), (list, isDefault) => {
        const after = added(list, { id: 'new', isDefault })
        expect(ids(after)).toEqual([...ids(list), 'new'])
        expect(after.at(-1)!.isDefault).toBe(isDefault || list.length === 0)
      }),
    )
  })

  it('keeps its default if another item is removed; otherwise the oldest becomes it', () => {
    fc.assert(
      fc.property(
        lists.filter((list) => list.length > 0),
        fc.nat(),
        (list, at) => {
          const gone = list[at % list.length]!
          const after = removed(list, gone.id)
          expect(ids(after)).toEqual(ids(list).filter((id) => id !== gone.id))
          const expected = gone.isDefault ? after.slice(0, 1) : defaultsOf(list)
          expect(ids(defaultsOf(after))).toEqual(ids(expected))
        },
      ),
    )
  })

  it('takes over another list as far as there is room, and keeps its own default', () => {
    fc.assert(
      fc.property(lists, lists, fc.integer({ min: 15, max: 20 }), (own, other, most) => {
        const after = merged(own, other, most)
        expect(ids(after)).toEqual([...ids(own), ...ids(other)].slice(0, most))
        expect(ids(defaultsOf(after))).toEqual(ids(defaultsOf(own.length > 0 ? own : other)))
      }),
    )
  })

  it('takes over nothing if it is already longer than it may be', () => {
    const list: Saved[] = [
      { id: 'a', isDefault: true },
      { id: 'b', isDefault: false },
    ]
    expect(merged(list, [{ id: 'c', isDefault: true }], 1)).toEqual(list)
  })
})
