CREATE TABLE "orders"."parcels" (
	"id" uuid PRIMARY KEY NOT NULL,
	"order_id" uuid NOT NULL,
	"items" jsonb,
	"is_captured" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE INDEX "parcels_order_id_index" ON "orders"."parcels" USING btree ("order_id");