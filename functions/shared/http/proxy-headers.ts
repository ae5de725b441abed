/**
 * Request headers that only our own proxies and services may set, in lower case; `*` stands for any ending. Every way
 * in removes them from what clients send: the gateways (compose/caddyfile.ts) and the local one (local/front.ts).
 */
export const proxyHeaders = ['forwarded', 'x-real-ip', 'knative-*', 'k-*', 'ce-*'] as const

/** The longest tracestate that W3C Trace Context requires a service to pass on. A longer one is removed, too. */
export const maxTracestate = 512
