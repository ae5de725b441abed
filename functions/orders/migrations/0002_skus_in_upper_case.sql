-- breaking: earlier versions write SKUs in any case, and look them up in that case
-- Of SKUs that differ only in case, the first keeps its name; the others get a number, such as MUG--2. The other domains do the same.
CREATE TEMPORARY TABLE "renamed_skus" ON COMMIT DROP AS
SELECT "sku" AS "old",
  CASE WHEN "nth" = 1 THEN upper("sku") ELSE left(upper("sku"), 60) || '--' || "nth" END AS "new"
FROM (
  SELECT "sku", row_number() OVER (PARTITION BY upper("sku") ORDER BY "sku" COLLATE "C") AS "nth" FROM "orders"."products"
) AS "numbered";--> statement-breakpoint
DELETE FROM "renamed_skus" WHERE "old" = "new";--> statement-breakpoint
UPDATE "orders"."products" SET "sku" = "new" FROM "renamed_skus" WHERE "sku" = "old";--> statement-breakpoint
UPDATE "orders"."orders" SET "lines" = (
  SELECT jsonb_agg("line" || jsonb_build_object('sku', coalesce("new", upper("line"->>'sku'))) ORDER BY "nth")
  FROM jsonb_array_elements("lines") WITH ORDINALITY AS "each" ("line", "nth")
  LEFT JOIN "renamed_skus" ON "old" = "line"->>'sku'
)
WHERE EXISTS (
  SELECT FROM jsonb_array_elements("lines") AS "line" WHERE "line"->>'sku' <> upper("line"->>'sku')
);
