/**
 * Returns an error in the form in which it is logged. The parameters of a failed query, and the row that
 * PostgreSQL quotes in its error, are left out, because they may contain a password hash or personal data.
 */
export function loggable(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { name, message, stack = '', cause } = error
  return {
    type: name,
    // Drizzle's error ends its message with the parameters. It is recognized by its fields, so that drizzle
    // need not be loaded.
    message: 'params' in error && 'query' in error ? `Failed query: ${String(error.query)}` : message,
    ...pick(error, ['code', 'constraint_name', 'table_name', 'column_name']),
    // a stack begins with the message, which is cut off
    stack: stack.slice(Math.max(0, stack.indexOf('\n    at '))).trim(),
    ...(cause === undefined ? {} : { cause: loggable(cause) }),
  }
}

const pick = (error: object, fields: string[]) =>
  Object.fromEntries(Object.entries(error).filter(([field]) => fields.includes(field)))
