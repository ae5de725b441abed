CREATE SCHEMA "invoices";
--> statement-breakpoint
CREATE TABLE "invoices"."claimed_customers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "invoices"."counters" (
	"series" text NOT NULL,
	"year" integer NOT NULL,
	"last" integer NOT NULL,
	"last_hash" text NOT NULL,
	CONSTRAINT "counters_series_year_pk" PRIMARY KEY("series","year")
);
--> statement-breakpoint
CREATE TABLE "invoices"."ended_sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "invoices"."idempotency_keys" (
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
CREATE TABLE "invoices"."invoices" (
	"id" uuid PRIMARY KEY NOT NULL,
	"series" text NOT NULL,
	"year" integer NOT NULL,
	"seq" integer NOT NULL,
	"number" text NOT NULL,
	"source" uuid NOT NULL,
	"order_id" uuid NOT NULL,
	"payment_id" uuid NOT NULL,
	"customer_id" uuid NOT NULL,
	"issued_at" timestamp with time zone NOT NULL,
	"content" jsonb NOT NULL,
	"previous_hash" text NOT NULL,
	"hash" text NOT NULL,
	CONSTRAINT "invoices_number" UNIQUE("number"),
	CONSTRAINT "invoices_place" UNIQUE("series","year","seq"),
	CONSTRAINT "invoices_once" UNIQUE("series","source")
);
--> statement-breakpoint
CREATE TABLE "invoices"."request_counts" (
	"key" text PRIMARY KEY NOT NULL,
	"points" integer DEFAULT 0 NOT NULL,
	"expire" bigint
);
--> statement-breakpoint
CREATE TABLE "invoices"."returns" (
	"id" uuid PRIMARY KEY NOT NULL,
	"order_id" uuid NOT NULL,
	"lines" jsonb NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "claimed_customers_user_id_index" ON "invoices"."claimed_customers" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "ended_sessions_at_index" ON "invoices"."ended_sessions" USING btree ("at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_at_index" ON "invoices"."idempotency_keys" USING btree ("at");--> statement-breakpoint
CREATE INDEX "invoices_customer_id_id_index" ON "invoices"."invoices" USING btree ("customer_id","id");--> statement-breakpoint
CREATE INDEX "invoices_order_id_index" ON "invoices"."invoices" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "request_counts_expire_index" ON "invoices"."request_counts" USING btree ("expire");