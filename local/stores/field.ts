/** The field of something whose type is not known (an error, parsed JSON); undefined when there is none. */
export const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined

/** The same where only text will do. */
export const textOf = (value: unknown, field: string): string | undefined => {
  const found = fieldOf(value, field)
  return typeof found === 'string' ? found : undefined
}

/** A system call's error code, such as `ENOENT`. */
export const codeOf = (error: unknown): string | undefined => textOf(error, 'code')
