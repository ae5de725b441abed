import openapiTS, { astToString } from 'openapi-typescript'

/**
 * The TypeScript types of an OpenAPI document, for typed clients.
 *
 * openapi-typescript needs the compiler's JavaScript API, which TypeScript 7 does not have: that is why package.json
 * installs TypeScript 5 as `typescript`, and TypeScript 7, whose `tsc` checks the project, as `@typescript/native`.
 * @param json the document
 */
export async function apiTypes(json: string): Promise<string> {
  // a field with a default may be left out of a request
  const types = await openapiTS(json, { defaultNonNullable: false })
  return `// Made from openapi.json by npm run generate.\n${astToString(types)}`
}
