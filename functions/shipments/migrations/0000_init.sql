CREATE SCHEMA "shipments";
--> statement-breakpoint
CREATE TABLE "shipments"."claimed_customers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "shipments"."deleted_customers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "shipments"."ended_sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "shipments"."idempotency_keys" (
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
CREATE TABLE "shipments"."parcels" (
	"id" uuid PRIMARY KEY NOT NULL,
	"shipment_id" uuid NOT NULL,
	"status" text NOT NULL,
	"number" integer,
	"packed" jsonb NOT NULL,
	"items" jsonb,
	"shipping" jsonb,
	"amount" integer,
	"is_last" boolean DEFAULT false NOT NULL,
	"carrier" text,
	"tracking_number" text,
	"failure" text,
	"packed_at" timestamp with time zone DEFAULT now() NOT NULL,
	"shipped_at" timestamp with time zone,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "shipments"."request_counts" (
	"key" text PRIMARY KEY NOT NULL,
	"points" integer DEFAULT 0 NOT NULL,
	"expire" bigint
);
--> statement-breakpoint
CREATE TABLE "shipments"."shipments" (
	"id" uuid PRIMARY KEY NOT NULL,
	"customer_id" uuid,
	"status" text NOT NULL,
	"lines" jsonb NOT NULL,
	"shipping" jsonb,
	"currency" text,
	"worker_id" uuid,
	"taken_until" timestamp with time zone,
	"shipped_parcels" integer DEFAULT 0 NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "worker_while_taken" CHECK (("shipments"."shipments"."status" = 'taken') = ("shipments"."shipments"."worker_id" is not null))
);
--> statement-breakpoint
ALTER TABLE "shipments"."parcels" ADD CONSTRAINT "parcels_shipment_id_shipments_id_fk" FOREIGN KEY ("shipment_id") REFERENCES "shipments"."shipments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "ended_sessions_at_index" ON "shipments"."ended_sessions" USING btree ("at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_at_index" ON "shipments"."idempotency_keys" USING btree ("at");--> statement-breakpoint
CREATE UNIQUE INDEX "parcels_shipment_id_number_index" ON "shipments"."parcels" USING btree ("shipment_id","number");--> statement-breakpoint
CREATE INDEX "request_counts_expire_index" ON "shipments"."request_counts" USING btree ("expire");--> statement-breakpoint
CREATE INDEX "shipments_status_id_index" ON "shipments"."shipments" USING btree ("status","id");--> statement-breakpoint
CREATE INDEX "shipments_customer_id_index" ON "shipments"."shipments" USING btree ("customer_id");