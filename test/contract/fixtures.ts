import type { Domain, Role } from '../../functions/shared/domain.ts'
import type { Send, TestShop } from '../shop.ts'

/**
 * What the tests that run on every domain need for a domain. It is the default export of the domain's
 * `fixtures.ts`: `export default { … } satisfies Fixtures<typeof domain>`.
 */
export interface Fixtures<D extends Domain> extends AnyFixtures {
  bodies: { readonly [Name in keyof D['operations']]?: Bodies | (() => Bodies) }
  resources: {
    readonly [Path in PathOf<D> as ResourcePath<Path>]?: Resource<ParameterOf<Path>>
  }
}

/** The fixtures of any domain. */
export interface AnyFixtures {
  /** For each operation that has a body. A function returns new ones, if a body is accepted only once. */
  bodies: Readonly<Record<string, Bodies | (() => Bodies) | undefined>>
  /** The resources that paths name, by the path up to its last parameter. */
  resources: Readonly<Record<string, Resource | undefined>>
  /** Invalid values of path parameters. Those of `id` and `sku` are known already. */
  parameters?: Readonly<Record<string, BadValues>>
  /** Starts what the functions need in addition to their store. Runs before the shop is opened. */
  start?: () => Promise<Started>
  /** By operation: creates what a caller must have before each request to it. `parameters` are those of its path. */
  ready?: Readonly<
    Record<
      string,
      (
        shop: TestShop,
        as: NonNullable<Send['as']>,
        parameters: Readonly<Record<string, string>>,
      ) => Promise<unknown>
    >
  >
  /** Creates what the bodies refer to. */
  prepare?: (shop: TestShop) => Promise<unknown>
}

/** Two valid bodies that differ. */
export type Bodies = readonly [body: object, another: object]

export interface Resource<Parameter extends string = string> {
  /** The role of its owner, if nobody else of that role may see it. The owner also calls the operations for anyone that change it. */
  owner?: Role
  /** Creates another resource, which belongs to the shop's user of that role. */
  create: (shop: TestShop) => Promise<Created<Parameter>>
  /** The detail of the problem if the resource does not exist. */
  notFound: string
  /** The operations after which others refuse to change it, in addition to its deletion. */
  endedBy?: readonly string[]
}

export interface Created<Parameter extends string = string> {
  /** The parameters of its path. */
  parameters: Readonly<Record<Parameter, string>>
  /** The id of its owner, if it is not the shop's user. */
  owner?: string
}

export interface BadValues {
  values: readonly string[]
  /** The detail of the error that each of the values causes. */
  detail: string
}

export interface Started {
  /** Settings of the functions. */
  environment: Readonly<Record<string, string>>
  close: () => Promise<void>
}

type PathOf<D extends Domain> = D['operations'][keyof D['operations']]['path']

type ResourcePath<Path extends string> = Path extends `${infer Before}{${infer Name}}${infer Rest}`
  ? `${Before}{${Name}}${[ResourcePath<Rest>] extends [never] ? '' : ResourcePath<Rest>}`
  : never

type ParameterOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParameterOf<Rest>
  : never
