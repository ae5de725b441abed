/** Returns a field of a value of unknown type, such as an error or parsed JSON; undefined if there is none. */
export const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined

/** Like `fieldOf`, but undefined unless the field is a string. */
export const textOf = (value: unknown, field: string): string | undefined => {
  const found = fieldOf(value, field)
  return typeof found === 'string' ? found : undefined
}

/** Returns the code of an error, such as `ENOENT`. */
export const codeOf = (error: unknown): string | undefined => textOf(error, 'code')
