CREATE SCHEMA "stock";
--> statement-breakpoint
CREATE TABLE "stock"."adjustments" (
	"id" uuid PRIMARY KEY NOT NULL,
	"sku" text NOT NULL,
	"quantity" integer NOT NULL,
	"reason" text NOT NULL,
	"note" text,
	"user_id" uuid NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "stock"."idempotency_keys" (
	"caller" text NOT NULL,
	"key" text NOT NULL,
	"hash" text NOT NULL,
	"status" integer,
	"headers" jsonb,
	"body" text,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY("caller","key")
);
--> statement-breakpoint
CREATE TABLE "stock"."items" (
	"sku" text PRIMARY KEY NOT NULL,
	"seller_id" uuid NOT NULL,
	"available" bigint DEFAULT 0 NOT NULL,
	"reserved" bigint DEFAULT 0 NOT NULL,
	"sold" bigint DEFAULT 0 NOT NULL,
	"received" bigint DEFAULT 0 NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "available_not_negative" CHECK ("stock"."items"."available" >= 0),
	CONSTRAINT "reserved_not_negative" CHECK ("stock"."items"."reserved" >= 0),
	CONSTRAINT "nothing_lost" CHECK ("stock"."items"."available" + "stock"."items"."reserved" + "stock"."items"."sold" = "stock"."items"."received")
);
--> statement-breakpoint
CREATE TABLE "stock"."reservations" (
	"order_id" uuid PRIMARY KEY NOT NULL,
	"state" text NOT NULL,
	"lines" jsonb NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "adjustments_sku_id_index" ON "stock"."adjustments" USING btree ("sku","id");--> statement-breakpoint
CREATE INDEX "idempotency_keys_at_index" ON "stock"."idempotency_keys" USING btree ("at");