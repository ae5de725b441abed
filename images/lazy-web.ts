/**
 * What a bundle uses instead of the global Headers, Request and Response. Node loads undici as soon as one of
 * these is touched, which takes as long as all the rest of a process's own start. Most requests need none of
 * them, so each is loaded when it is first constructed.
 */
type Name = 'Headers' | 'Request' | 'Response'
type Constructor = new (...args: unknown[]) => object

/**
 * @hono/node-server puts its own Request and Response here, instead of among the globals (bundle.ts). What is
 * not here is global.
 */
export const web: Record<string, unknown> = {
  Headers: lazily('Headers'),
  Request: lazily('Request'),
  Response: lazily('Response'),
}

/** Returns a class that becomes the global one when it is first needed. */
function lazily(name: Name): Constructor {
  // classes that extend it inherit from this object, which inherits from the global class's prototype later
  const prototype = {}
  let real: Constructor | undefined
  function load(): Constructor {
    if (real !== undefined) return real
    // a computed name, because the bundle replaces the others
    real = (globalThis as unknown as Record<Name, Constructor>)[name]
    Object.setPrototypeOf(prototype, real.prototype as object)
    Object.setPrototypeOf(lazy, real)
    lazy.prototype = real.prototype
    delete (lazy as { [Symbol.hasInstance]?: unknown })[Symbol.hasInstance]
    return real
  }
  const lazy = function (...args: unknown[]): object {
    const target = new.target as unknown
    return Reflect.construct(load(), args, target === lazy ? load() : (target as Constructor))
  } as unknown as Constructor & { prototype: unknown }
  lazy.prototype = prototype
  Object.setPrototypeOf(
    lazy,
    new Proxy(Function.prototype, { get: (_, key) => Reflect.get(load(), key) as unknown }),
  )
  Object.defineProperty(lazy, Symbol.hasInstance, {
    configurable: true,
    value: (value: unknown) =>
      Object.prototype.isPrototypeOf.call(prototype, value as object) ||
      (!isPlain(value) && value instanceof load()),
  })
  return lazy
}

/** Whether a value cannot be an instance of any class, such as the literal `{ status: 200 }`. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || prototype === Array.prototype
}
