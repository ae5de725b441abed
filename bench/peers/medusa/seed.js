// Creates what a shop needs, and a product for each customer with enough stock: orders of one product wait for one lock,
// and fail if they wait for long. Writes the ids that a storefront uses.
const { writeFileSync } = require('node:fs')
const { join } = require('node:path')
const {
  createApiKeysWorkflow,
  createInventoryLevelsWorkflow,
  createProductsWorkflow,
  createRegionsWorkflow,
  createSalesChannelsWorkflow,
  createShippingOptionsWorkflow,
  createShippingProfilesWorkflow,
  createStockLocationsWorkflow,
  createTaxRegionsWorkflow,
  linkSalesChannelsToApiKeyWorkflow,
  linkSalesChannelsToStockLocationWorkflow,
} = require('@medusajs/medusa/core-flows')
const { ContainerRegistrationKeys, Modules } = require('@medusajs/framework/utils')

const countries = ['de']
const customers = 32
const address = { city: 'Berlin', country_code: 'DE', address_1: '' }

exports.default = async function seed({ container }) {
  const make = async (workflow, input) => (await workflow(container).run({ input })).result
  const link = (from, to) => container.resolve(ContainerRegistrationKeys.LINK).create({ ...from, ...to })

  const [channel] = await make(createSalesChannelsWorkflow, { salesChannelsData: [{ name: 'Shop' }] })
  const [key] = await make(createApiKeysWorkflow, {
    api_keys: [{ title: 'Shop', type: 'publishable', created_by: '' }],
  })
  await make(linkSalesChannelsToApiKeyWorkflow, { id: key.id, add: [channel.id] })

  const [region] = await make(createRegionsWorkflow, {
    regions: [{ name: 'Europe', currency_code: 'eur', countries, payment_providers: ['pp_system_default'] }],
  })
  await make(createTaxRegionsWorkflow, [
    {
      country_code: 'de',
      provider_id: 'tp_system',
      default_tax_rate: { name: 'Standard', code: 'standard', rate: 19 },
    },
  ])

  const [location] = await make(createStockLocationsWorkflow, { locations: [{ name: 'Shop', address }] })
  await make(linkSalesChannelsToStockLocationWorkflow, { id: location.id, add: [channel.id] })
  const there = { [Modules.STOCK_LOCATION]: { stock_location_id: location.id } }
  await link(there, { [Modules.FULFILLMENT]: { fulfillment_provider_id: 'manual_manual' } })

  const [profile] = await make(createShippingProfilesWorkflow, {
    data: [{ name: 'Standard', type: 'default' }],
  })
  const set = await container.resolve(Modules.FULFILLMENT).createFulfillmentSets({
    name: 'Delivery',
    type: 'shipping',
    service_zones: [
      { name: 'Europe', geo_zones: countries.map((code) => ({ type: 'country', country_code: code })) },
    ],
  })
  await link(there, { [Modules.FULFILLMENT]: { fulfillment_set_id: set.id } })
  const [option] = await make(createShippingOptionsWorkflow, [
    {
      name: 'Standard',
      price_type: 'flat',
      provider_id: 'manual_manual',
      service_zone_id: set.service_zones[0].id,
      shipping_profile_id: profile.id,
      type: { label: 'Standard', description: '', code: 'standard' },
      prices: [{ currency_code: 'eur', amount: 0 }],
      rules: [{ attribute: 'enabled_in_store', value: 'true', operator: 'eq' }],
    },
  ])

  const products = await make(createProductsWorkflow, {
    products: Array.from({ length: customers }, (_, n) => ({
      title: `Enamel mug, blue, ${n}`,
      description: 'An enamel mug.',
      status: 'published',
      shipping_profile_id: profile.id,
      options: [{ title: 'Colour', values: ['Blue'] }],
      variants: [
        {
          title: 'Blue',
          sku: `MUG-BLUE-${n}`,
          options: { Colour: 'Blue' },
          prices: [{ currency_code: 'eur', amount: 12.9 }],
        },
      ],
      sales_channels: [{ id: channel.id }],
    })),
  })
  const query = container.resolve(ContainerRegistrationKeys.QUERY)
  const { data: items } = await query.graph({ entity: 'inventory_item', fields: ['id'] })
  await make(createInventoryLevelsWorkflow, {
    inventory_levels: items.map(({ id }) => ({
      inventory_item_id: id,
      location_id: location.id,
      stocked_quantity: 1_000_000,
    })),
  })

  const ids = {
    key: key.token,
    region: region.id,
    product: products[0].id,
    variants: products.map(({ variants }) => variants[0].id),
    option: option.id,
  }
  writeFileSync(join(process.cwd(), 'ids.json'), JSON.stringify(ids))
}
