CREATE TABLE "stock"."backorder_lines" (
	"sku" text NOT NULL,
	"order_id" uuid NOT NULL,
	"quantity" integer NOT NULL,
	"filled" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "backorder_lines_sku_order_id_pk" PRIMARY KEY("sku","order_id"),
	CONSTRAINT "filled_no_more_than_missing" CHECK ("stock"."backorder_lines"."filled" between 0 and "stock"."backorder_lines"."quantity")
);
--> statement-breakpoint
CREATE TABLE "stock"."backorders" (
	"order_id" uuid PRIMARY KEY NOT NULL,
	"customer_id" uuid NOT NULL,
	"total" jsonb NOT NULL,
	"unfilled" integer NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "stock"."reservations" ADD COLUMN "backordered" jsonb;--> statement-breakpoint
CREATE INDEX "backorder_lines_of_order" ON "stock"."backorder_lines" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "backorder_lines_unfilled" ON "stock"."backorder_lines" USING btree ("sku","order_id") WHERE "stock"."backorder_lines"."filled" < "stock"."backorder_lines"."quantity";