CREATE SCHEMA "customers";
--> statement-breakpoint
CREATE TABLE "customers"."addresses" (
	"id" uuid PRIMARY KEY NOT NULL,
	"customer_id" uuid NOT NULL,
	"is_default" boolean NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"label" text NOT NULL,
	"address" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "customers"."claims" (
	"token_hash" text PRIMARY KEY NOT NULL,
	"customer_id" uuid NOT NULL,
	"requested_at" timestamp with time zone DEFAULT now() NOT NULL,
	"used_by" uuid
);
--> statement-breakpoint
CREATE TABLE "customers"."customers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"has_account" boolean NOT NULL,
	"email" text,
	"name" text,
	"phone" text,
	"language" text,
	"tax_id" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"claimed_by" uuid,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "customers_email" UNIQUE("email"),
	CONSTRAINT "customers_email_of_users" CHECK (not "customers"."customers"."has_account" or "customers"."customers"."email" is null),
	CONSTRAINT "customers_anonymous" CHECK (("customers"."customers"."deleted_at" is null and "customers"."customers"."claimed_by" is null) or num_nonnulls("customers"."customers"."email", "customers"."customers"."name", "customers"."customers"."phone", "customers"."customers"."language", "customers"."customers"."tax_id") = 0)
);
--> statement-breakpoint
CREATE TABLE "customers"."ended_sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "customers"."idempotency_keys" (
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
CREATE TABLE "customers"."payment_methods" (
	"id" uuid PRIMARY KEY NOT NULL,
	"customer_id" uuid NOT NULL,
	"is_default" boolean NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"card_token" text NOT NULL,
	"brand" text NOT NULL,
	"last4" text NOT NULL,
	"expires" text,
	CONSTRAINT "payment_methods_token" UNIQUE("customer_id","card_token")
);
--> statement-breakpoint
CREATE TABLE "customers"."request_counts" (
	"key" text PRIMARY KEY NOT NULL,
	"points" integer DEFAULT 0 NOT NULL,
	"expire" bigint
);
--> statement-breakpoint
ALTER TABLE "customers"."addresses" ADD CONSTRAINT "addresses_customer_id_customers_id_fk" FOREIGN KEY ("customer_id") REFERENCES "customers"."customers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "customers"."claims" ADD CONSTRAINT "claims_customer_id_customers_id_fk" FOREIGN KEY ("customer_id") REFERENCES "customers"."customers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "customers"."payment_methods" ADD CONSTRAINT "payment_methods_customer_id_customers_id_fk" FOREIGN KEY ("customer_id") REFERENCES "customers"."customers"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "addresses_customer_id_id_index" ON "customers"."addresses" USING btree ("customer_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "addresses_default" ON "customers"."addresses" USING btree ("customer_id") WHERE "customers"."addresses"."is_default";--> statement-breakpoint
CREATE INDEX "claims_customer_id_index" ON "customers"."claims" USING btree ("customer_id");--> statement-breakpoint
CREATE INDEX "claims_used_by_index" ON "customers"."claims" USING btree ("used_by");--> statement-breakpoint
CREATE INDEX "customers_by_name" ON "customers"."customers" USING btree (coalesce("name", '') collate "und-x-icu","id");--> statement-breakpoint
CREATE INDEX "ended_sessions_at_index" ON "customers"."ended_sessions" USING btree ("at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_at_index" ON "customers"."idempotency_keys" USING btree ("at");--> statement-breakpoint
CREATE INDEX "payment_methods_customer_id_id_index" ON "customers"."payment_methods" USING btree ("customer_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "payment_methods_default" ON "customers"."payment_methods" USING btree ("customer_id") WHERE "customers"."payment_methods"."is_default";--> statement-breakpoint
CREATE INDEX "request_counts_expire_index" ON "customers"."request_counts" USING btree ("expire");