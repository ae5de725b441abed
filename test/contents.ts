import { MongoClient } from 'mongodb'
import postgres from 'postgres'

/**
 * Returns the names of all PostgreSQL tables that contain a text.
 * @param url logs in as the administrator
 */
export async function tablesWith(url: string, text: string): Promise<string[]> {
  const sql = postgres(url, { max: 1 })
  const tables = await sql<{ name: string }[]>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname !~ '^(pg_|information_schema)' order by 1`
  const found: string[] = []
  for (const { name } of tables) {
    const rows = await sql.unsafe(`select from ${name} as row where row::text like $1 limit 1`, [`%${text}%`])
    if (rows.length > 0) found.push(name)
  }
  await sql.end()
  return found
}

/**
 * Returns the names of all MongoDB collections that contain a text.
 * @param url logs in as the administrator
 */
export async function collectionsWith(url: string, text: string): Promise<string[]> {
  const client = new MongoClient(url)
  const found: string[] = []
  for (const { name } of (await client.db().admin().listDatabases()).databases)
    for (const collection of await client.db(name).collections())
      for await (const document of collection.find())
        if (JSON.stringify(document).includes(text)) found.push(collection.namespace)
  await client.close()
  return [...new Set(found)]
}
