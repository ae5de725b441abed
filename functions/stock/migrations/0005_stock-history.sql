CREATE TABLE "stock"."movements" (
	"sku" text NOT NULL,
	"id" uuid NOT NULL,
	"quantity" integer NOT NULL,
	"kind" text NOT NULL,
	"order_id" uuid NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "movements_sku_id_pk" PRIMARY KEY("sku","id")
);
--> statement-breakpoint
-- of the orders before, when each was placed and what it came to
INSERT INTO "stock"."movements" ("sku", "id", "quantity", "kind", "order_id", "at")
SELECT "line"->>'sku', uuidv7("then" - clock_timestamp()), ("line"->>'quantity')::integer, "kind", "order_id", "then"
FROM (
  SELECT "order_id", "lines", 'reserved' AS "kind", coalesce(uuid_extract_timestamp("order_id"), "at") AS "then" FROM "stock"."reservations"
  UNION ALL
  SELECT "order_id", "lines", CASE "state" WHEN 'released' THEN 'released' ELSE 'sold' END, "at" FROM "stock"."reservations" WHERE "state" <> 'reserved'
) AS "each", jsonb_array_elements("lines") AS "line";
