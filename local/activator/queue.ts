// A first-in, first-out queue whose items can also be removed from the middle, when a waiting client disconnects.

export interface Queueable<T> {
  next: T | undefined
  previous: T | undefined
  queued: boolean
}

/** A doubly linked list. All operations take constant time. */
export class Queue<T extends Queueable<T>> {
  length = 0
  first: T | undefined
  private last: T | undefined

  push(item: T): void {
    item.queued = true
    item.previous = this.last
    item.next = undefined
    if (this.last) this.last.next = item
    else this.first = item
    this.last = item
    this.length += 1
  }

  /** Puts an item back at the front. */
  unshift(item: T): void {
    item.queued = true
    item.previous = undefined
    item.next = this.first
    if (this.first) this.first.previous = item
    else this.last = item
    this.first = item
    this.length += 1
  }

  shift(): T | undefined {
    const { first } = this
    if (first) this.remove(first)
    return first
  }

  /** Does nothing if the item is not queued. */
  remove(item: T): void {
    if (!item.queued) return
    item.queued = false
    if (item.previous) item.previous.next = item.next
    else this.first = item.next
    if (item.next) item.next.previous = item.previous
    else this.last = item.previous
    item.next = undefined
    item.previous = undefined
    this.length -= 1
  }
}
