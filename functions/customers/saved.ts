/**
 * The rules of what a customer has saved, such as addresses: one of them is the default, unless there are none. All
 * lists are in the order in which their items were saved.
 */

export interface Saved {
  id: string
  isDefault: boolean
}

/** Makes one item the default. */
export const withDefault = <S extends Saved>(list: readonly S[], id: string): S[] =>
  list.map((item) => ({ ...item, isDefault: item.id === id }))

/** Adds an item. The first one is the default, whether or not it asks to be. */
export const added = <S extends Saved>(list: readonly S[], item: S): S[] =>
  item.isDefault || list.length === 0 ? withDefault([...list, item], item.id) : [...list, item]

/** Removes an item. If it was the default, the oldest of the others is the default then. */
export function removed<S extends Saved>(list: readonly S[], id: string): S[] {
  const [...left] = list.filter((item) => item.id !== id)
  const [oldest] = left
  return oldest === undefined || left.some(({ isDefault }) => isDefault) ? left : withDefault(left, oldest.id)
}

/**
 * Adds another list, up to the most that there may be. The default stays what it is; an empty list takes over that of
 * the other list.
 */
export const merged = <S extends Saved>(list: readonly S[], others: readonly S[], most: number): S[] =>
  others
    .slice(0, Math.max(0, most - list.length))
    .reduce(
      (all, other) => added(all, { ...other, isDefault: other.isDefault && list.length === 0 }),
      [...list],
    )
