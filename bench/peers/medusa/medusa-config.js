// Medusa's defaults: all in one process, with its event bus, cache, locks and workflows in memory.
const { defineConfig } = require('@medusajs/framework/utils')

module.exports = defineConfig({
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    // PostgreSQL is on this machine, and has no certificate
    databaseDriverOptions: { connection: { ssl: false } },
    http: { jwtSecret: process.env.SECRET, cookieSecret: process.env.SECRET },
  },
  admin: { disable: true },
})
