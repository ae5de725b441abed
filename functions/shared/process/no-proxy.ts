/** How Node's clients write the addresses of this machine. */
const loopback = ['localhost', '127.0.0.1', '::1', '[::1]']

/**
 * Returns the variables which say that requests to this machine take no proxy. With NODE_USE_ENV_PROXY, Node
 * sends them to the proxy otherwise, which cannot reach them.
 */
export function withoutProxyOnLoopback(env: NodeJS.ProcessEnv): { NO_PROXY: string; no_proxy: string } {
  // Node prefers the lower-case name
  const given = (env['no_proxy'] ?? env['NO_PROXY'] ?? '').split(/[\s,]+/).filter((host) => host !== '')
  const hosts = given.includes('*') ? '*' : [...new Set([...given, ...loopback])].join(',')
  return { NO_PROXY: hosts, no_proxy: hosts }
}
