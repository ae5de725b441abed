import project from '../../../package.json' with { type: 'json' }

/** The version of the shop, which a bundle contains as a value. */
export const version = project.version
