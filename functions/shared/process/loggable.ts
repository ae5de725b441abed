/**
 * An error as it is logged: a failed query without its parameters, and what PostgreSQL says about it without
 * the row that it quotes, since either may hold a password hash or a person's data.
 */
export function loggable(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { name, message, stack = '', cause } = error
  return {
    type: name,
    // drizzle's error, told by its shape so that nothing is loaded for it; its message ends with the parameters
    message: 'params' in error && 'query' in error ? `Failed query: ${String(error.query)}` : message,
    ...pick(error, ['code', 'constraint_name', 'table_name', 'column_name']),
    // a stack begins with the message
    stack: stack.slice(Math.max(0, stack.indexOf('\n    at '))).trim(),
    ...(cause === undefined ? {} : { cause: loggable(cause) }),
  }
}

const pick = (error: object, fields: string[]) =>
  Object.fromEntries(Object.entries(error).filter(([field]) => fields.includes(field)))
