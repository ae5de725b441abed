// Creates the tables, and one product with enough stock.
const { writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { bootstrap } = require('@vendure/core')
const { populate } = require('@vendure/core/cli')
const { config } = require('./config')

const products = join(__dirname, 'products.csv')
writeFileSync(
  products,
  `name,slug,description,assets,facets,optionGroups,optionValues,sku,price,taxCategory,stockOnHand,trackInventory,variantAssets,variantFacets
"Enamel mug, blue",mug,An enamel mug.,,,,,MUG-BLUE,12.90,standard,1000000,true,,
`,
)

const initialData = {
  defaultLanguage: 'en',
  defaultZone: 'Europe',
  taxRates: [{ name: 'Standard tax', percentage: 19 }],
  countries: [{ name: 'Germany', code: 'DE', zone: 'Europe' }],
  shippingMethods: [{ name: 'Standard', price: 0 }],
  paymentMethods: [
    {
      name: 'card',
      handler: { code: 'dummy-payment-handler', arguments: [{ name: 'automaticSettle', value: 'true' }] },
    },
  ],
  collections: [],
}

const withTables = {
  ...config,
  dbConnectionOptions: { ...config.dbConnectionOptions, synchronize: true },
}

populate(() => bootstrap(withTables), initialData, products)
  .then((app) => app.close())
  .then(
    () => process.exit(0),
    (error) => {
      console.error(error)
      process.exit(1)
    },
  )
