import * as z from 'zod'
import { uuidv7 } from 'uuidv7'
import type { User } from '../shared/auth/access-token.ts'
import type { Answer, IdempotencyKey } from '../shared/store/idempotency.ts'
import { Problem } from '../shared/http/problems.ts'
import { changeOf, Id, isVisible, Money, Sku, text, Timestamp } from '../shared/schemas/schemas.ts'
import { TaxClass, Weight } from '../shared/schemas/tax-class.ts'
import { outboxEntry, type EntryOptions, type OutboxEntry } from '../../events/mongodb-outbox.ts'
import { CategoryText } from './category.ts'
import { events } from './events.ts'
import { slugOf } from '../shared/slug.ts'
import { Rating, toRating, type RatingState } from './rating.ts'
import { sortKey } from './sort-key.ts'
import { Options, optionsKey } from './variant.ts'
import { wordsOf } from './words.ts'

/** Products: documents, schemas and rules. Everything here is pure. */

const maxAttributes = 50

// `$` and `.` have a special meaning in MongoDB's field names
// oxlint-disable-next-line no-control-regex
const attributeName = /^[^$.\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]{1,50}$/u
const AttributeName = z
  .string()
  .regex(attributeName, '1 to 50 characters, without $, dot, control characters and bidirectional overrides')
  .refine(isVisible, 'needs a character that can be seen')
/** For the OpenAPI document, whose generator leaves the names of a record out. */
const propertyNames = { pattern: attributeName.source }

const AttributeValue = z.union([text(500, 0), z.number(), z.boolean()])

const Attributes = z
  .record(AttributeName, AttributeValue)
  .refine((attributes) => Object.keys(attributes).length <= maxAttributes, `at most ${maxAttributes}`)
  .meta({
    propertyNames,
    maxProperties: maxAttributes,
    example: { colour: 'blue', volumeMl: 330, dishwasherSafe: true },
  })

const Name = text(200)
const Description = text(5000, 0)

const maxTags = 20
/** In lower case, so that a tag is the same however it is written. */
const Tags = z
  .array(text(50).toLowerCase())
  .max(maxTags)
  .overwrite((tags) => [...new Set(tags)])
  .meta({ description: 'In lower case, each once.', example: ['camping', 'gift'] })

const maxImages = 20
const Image = z
  .strictObject({
    url: z
      .url({
        protocol: /^https$/,
        hostname: z.regexes.domain,
        error: 'an https address with the name of a host',
      })
      .max(2_000)
      .refine((url) => !/[@#\s\\]/.test(url), 'without credentials, fragment, spaces and backslashes')
      .meta({
        description: 'Shown by browsers; the shop itself never requests it.',
        example: 'https://images.example.com/mug.jpg',
      }),
    alt: text(300, 0).default('').meta({
      description: 'What the picture shows, for those who do not see it.',
      example: 'A blue enamel mug',
    }),
  })
  .meta({ id: 'Image' })
const Images = z
  .array(Image)
  .max(maxImages)
  .refine((images) => new Set(images.map(({ url }) => url)).size === images.length, 'each address once')
  .meta({ description: 'The first is the main picture.' })

/** What `stock` has announced; `unknown` if it has not announced anything since an earlier version of the shop. */
export const availabilities = ['available', 'low', 'unavailable', 'unknown'] as const
export type Availability = (typeof availabilities)[number]

export const Product = z
  .object({
    id: Id,
    sku: Sku,
    name: z.string(),
    description: z.string(),
    category: z.string().meta({ description: 'The slug of its category.', example: 'mugs' }),
    price: Money,
    weightGrams: Weight.meta({ description: 'The weight of one piece, with its packaging.' }),
    taxClass: TaxClass,
    attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    tags: z.array(z.string()),
    images: z.array(Image),
    group: Id.meta({ description: 'The same for all variants of a product: the id of the first of them.' }),
    options: z.record(z.string(), z.string()),
    availability: z.enum(availabilities).meta({
      description: 'As the stock has announced it, a moment ago at most. `low` means that few are left.',
    }),
    rating: Rating,
    sellerId: Id,
    version: z.int().meta({ description: 'Rises with each change.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Product' })
export type Product = z.infer<typeof Product>

export const NewProduct = z
  .strictObject({
    sku: Sku,
    name: Name,
    description: Description.default(''),
    category: CategoryText,
    price: Money,
    weightGrams: Weight.optional().meta({ default: 0 }),
    taxClass: TaxClass.optional().meta({ default: 'standard' }),
    attributes: Attributes.default({}),
    tags: Tags.optional(),
    images: Images.optional(),
    variantOf: Id.optional().meta({
      description:
        'The id of a product of the same seller, of which this is another variant. Both need options.',
    }),
    options: Options.optional(),
  })
  .meta({ id: 'NewProduct' })
export type NewProduct = z.infer<typeof NewProduct>

/** A merge patch (RFC 7396): omitted fields stay unchanged, and an attribute set to null is removed. */
export const ProductPatch = changeOf(
  {
    name: Name.optional(),
    description: Description.optional(),
    category: CategoryText.optional(),
    price: Money.optional(),
    weightGrams: Weight.optional(),
    taxClass: TaxClass.optional(),
    attributes: z
      .record(AttributeName, AttributeValue.nullable())
      .optional()
      .meta({ propertyNames, example: { colour: 'red', dishwasherSafe: null } }),
    tags: Tags.optional(),
    images: Images.optional(),
    options: Options.optional(),
  },
  'ProductPatch',
)
export type ProductPatch = z.infer<typeof ProductPatch>

/** The data of a product. */
export interface ProductState extends Omit<NewProduct, 'variantOf'> {
  _id: string
  /** Products of earlier versions have none: then it is their id. */
  group?: string
  /** A projection of the stock. Its version is the stock's, and it changes none of the product's. */
  stock?: { availability: Availability; version: number; at: Date }
  /** A projection of its reviews. Products that were never reviewed have none. */
  rating?: RatingState
  /** Unique within the group. */
  optionsKey?: string
  sellerId: string
  version: number
  createdAt: Date
  updatedAt: Date
  /** Set if the product is deleted. The document stays, so that its SKU is never reused. */
  deletedAt: Date | null
}

/** Fields for searching and sorting, derived from the data. */
interface SearchKeys {
  words: string[]
  nameKey: string
}

export interface ProductDocument extends ProductState, SearchKeys {
  /** Events that the relay has not collected yet. In the document, so that one write includes the event. */
  outbox: OutboxEntry[]
  /** The request that created the product, and its answer. In the document for the same reason. */
  creation?: IdempotencyKey & { at: Date; answer: Answer }
}

/** The fields and the event that an update or a deletion writes. */
export interface Change {
  set: Partial<ProductState & SearchKeys> & { version: number }
  event: OutboxEntry
}

/**
 * Returns the document of a new product, with its `product.created` event.
 * @param group that of the product of which it is a variant
 */
export function newProduct(
  input: NewProduct,
  sellerId: string,
  cause?: EntryOptions,
  group?: string,
): ProductDocument {
  const { variantOf: _, ...data } = input
  const now = new Date()
  const _id = uuidv7()
  const options = input.options ?? {}
  const state: ProductState = {
    ...data,
    category: slugOf(input.category),
    tags: input.tags ?? [],
    images: input.images ?? [],
    options,
    ...keyOf(options),
    _id,
    group: group ?? _id,
    // its account is opened when the event is there
    stock: { availability: 'unavailable', version: 0, at: now },
    sellerId,
    version: 1,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  }
  return {
    ...state,
    ...searchKeys(state),
    outbox: [outboxEntry(events, 'product.created', state.sku, eventData(state), cause)],
  }
}

/**
 * Applies a merge patch.
 * @throws Problem 400 if the product would have too many attributes
 */
export function update(product: ProductState, patch: ProductPatch, cause?: EntryOptions): Change {
  const attributes = { ...product.attributes }
  for (const [name, value] of Object.entries(patch.attributes ?? {}))
    if (value === null) delete attributes[name]
    else attributes[name] = value
  if (Object.keys(attributes).length > maxAttributes)
    throw new Problem('invalid-request', {
      detail: `A product has at most ${maxAttributes} attributes. Remove some by sending them as null.`,
      errors: [{ pointer: '/body/attributes', detail: `at most ${maxAttributes}, with those it has` }],
    })
  const options = patch.options ?? product.options ?? {}
  const changed = {
    name: patch.name ?? product.name,
    description: patch.description ?? product.description,
    category: patch.category === undefined ? product.category : slugOf(patch.category),
    price: patch.price ?? product.price,
    weightGrams: patch.weightGrams ?? weightOf(product),
    taxClass: patch.taxClass ?? taxClassOf(product),
    attributes,
    tags: patch.tags ?? product.tags ?? [],
    images: patch.images ?? product.images ?? [],
    group: groupOf(product),
    options,
    ...keyOf(options),
    version: product.version + 1,
    updatedAt: new Date(),
  }
  const state = { ...product, ...changed }
  return {
    set: { ...changed, ...searchKeys(state) },
    event: outboxEntry(events, 'product.updated', state.sku, eventData(state), cause),
  }
}

/** Deletes a product. It can no longer be found, but its SKU stays taken. */
export function remove({ _id, sku, version }: ProductState, cause?: EntryOptions): Change {
  const now = new Date()
  return {
    // its options may be those of another variant now
    set: { deletedAt: now, updatedAt: now, version: version + 1, words: [], optionsKey: _id },
    event: outboxEntry(events, 'product.deleted', sku, { productId: _id, sku, version: version + 1 }, cause),
  }
}

/** Returns whether the user may change the product: sellers their own, admins all. */
export const mayChange = (product: ProductState, user: User) =>
  user.role === 'admin' || product.sellerId === user.id

export const groupOf = ({ _id, group }: Pick<ProductState, '_id' | 'group'>): string => group ?? _id

export const availabilityOf = ({ stock }: Pick<ProductState, 'stock'>): Availability =>
  stock?.availability ?? 'unknown'

const keyOf = (options: Options) => {
  const key = optionsKey(options)
  return key === undefined ? {} : { optionsKey: key }
}

/** Converts a document to the API's product. */
export const toProduct = (document: ProductState): Product => ({
  id: document._id,
  sku: document.sku,
  name: document.name,
  description: document.description,
  category: document.category,
  price: document.price,
  weightGrams: weightOf(document),
  taxClass: taxClassOf(document),
  attributes: document.attributes,
  tags: document.tags ?? [],
  images: document.images ?? [],
  group: groupOf(document),
  options: document.options ?? {},
  availability: availabilityOf(document),
  rating: toRating(document),
  sellerId: document.sellerId,
  version: document.version,
  createdAt: document.createdAt.toISOString(),
  updatedAt: document.updatedAt.toISOString(),
})

/** Returns the fields by which a product is found and sorted. */
export const searchKeys = ({
  sku,
  name,
  category,
  description,
  tags = [],
  options = {},
}: Pick<NewProduct, 'sku' | 'name' | 'category' | 'description' | 'tags' | 'options'>): SearchKeys => ({
  words: wordsOf(
    `${sku} ${name} ${category} ${description} ${tags.join(' ')} ${Object.values(options).join(' ')}`,
  ),
  nameKey: sortKey(name),
})

const weightOf = ({ weightGrams = 0 }: ProductState) => weightGrams
const taxClassOf = ({ taxClass = 'standard' }: ProductState) => taxClass

const eventData = (product: ProductState) => ({
  productId: product._id,
  sku: product.sku,
  name: product.name,
  category: product.category,
  price: product.price,
  weightGrams: weightOf(product),
  taxClass: taxClassOf(product),
  sellerId: product.sellerId,
  version: product.version,
})
