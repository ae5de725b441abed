/**
 * A well-formed Host header (RFC 9110, 7.2): a name, whose last label is not a number, or an address, and perhaps
 * a port. Caddy uses it as well, so it has no assertions.
 */
export const hostPattern =
  '^(\\[[0-9A-Fa-f:.]+\\]|([0-9]{1,3}\\.){3}[0-9]{1,3}|([A-Za-z0-9_-]+\\.)*[A-Za-z0-9_-]*[A-Za-z_-][A-Za-z0-9_-]*\\.?)(:[0-9]{1,5})?$'
