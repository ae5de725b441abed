import openapiTS, { astToString } from 'openapi-typescript'

/**
 * Returns the TypeScript types of an OpenAPI document, for typed clients.
 *
 * openapi-typescript needs the compiler's JavaScript API, which TypeScript 7 does not have. That is why
 * package.json installs TypeScript 5 as `typescript`, and TypeScript 7, whose `tsc` checks the project, as
 * `@typescript/native`.
 * @param json the document
 */
export async function apiTypes(json: string): Promise<string> {
  // otherwise a field with a default would be required in requests
  const types = await openapiTS(json, { defaultNonNullable: false })
  return `// Made from openapi.json by npm run generate.\n${astToString(types)}`
}
