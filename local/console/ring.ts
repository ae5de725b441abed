export interface Ring<T> {
  push: (item: T) => void
  /** Returns the items that are left, oldest first. */
  list: () => readonly T[]
}

/** Returns a list of the latest `size` items. */
export function createRing<T>(size: number): Ring<T> {
  const items: T[] = []
  return {
    push(item) {
      items.push(item)
      if (items.length > size) items.shift()
    },
    list: () => items,
  }
}
