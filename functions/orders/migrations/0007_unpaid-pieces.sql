ALTER TABLE "orders"."orders" ADD COLUMN "pieces" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "orders_unpaid" ON "orders"."orders" USING btree ("customer_id","pieces") WHERE "orders"."orders"."status" in ('placed', 'reserved') or ("orders"."orders"."status" = 'confirmed' and "orders"."orders"."total_amount" = 0);--> statement-breakpoint
UPDATE "orders"."orders" SET "pieces" = (SELECT sum(("line"->>'quantity')::integer) FROM jsonb_array_elements("lines") AS "line");--> statement-breakpoint
-- Returns the pieces of a new order, or fails with ZS001 and, as the detail, how many of the customer's pieces are not paid yet.
-- Its plan is kept while the table grows, so it must not be one for a table that was small when it was analysed.
-- It is volatile, so each of its statements sees what was committed before it: the sum includes the orders that the lock has waited for.
CREATE FUNCTION "orders"."admit_pieces"("customer" uuid, "wanted" integer, "most" bigint) RETURNS integer LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
DECLARE
  "waiting" bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended("customer"::text, 0));
  SELECT coalesce(sum("pieces"), 0) INTO "waiting" FROM "orders"."orders"
  WHERE "customer_id" = "customer" AND ("status" IN ('placed', 'reserved') OR ("status" = 'confirmed' AND "total_amount" = 0));
  IF "waiting" + "wanted" > "most" THEN
    RAISE EXCEPTION 'too many unpaid pieces' USING ERRCODE = 'ZS001', DETAIL = "waiting"::text;
  END IF;
  RETURN "wanted";
END
$$;
