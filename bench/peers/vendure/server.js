const { bootstrap, runMigrations } = require('@vendure/core')
const { config } = require('./config')

runMigrations(config)
  .then(() => bootstrap(config))
  .catch((error) => {
    console.error(error)
    process.exit(1)
  })
