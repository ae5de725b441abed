CREATE SCHEMA "returns";
--> statement-breakpoint
CREATE TABLE "returns"."claimed_customers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "returns"."ended_sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "returns"."idempotency_keys" (
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
CREATE TABLE "returns"."purchases" (
	"order_id" uuid PRIMARY KEY NOT NULL,
	"customer_id" uuid,
	"currency" text,
	"lines" jsonb,
	"shipped_at" timestamp with time zone,
	"cancelled_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "returns"."request_counts" (
	"key" text PRIMARY KEY NOT NULL,
	"points" integer DEFAULT 0 NOT NULL,
	"expire" bigint
);
--> statement-breakpoint
CREATE TABLE "returns"."returns" (
	"id" uuid PRIMARY KEY NOT NULL,
	"order_id" uuid NOT NULL,
	"customer_id" uuid NOT NULL,
	"status" text NOT NULL,
	"items" jsonb NOT NULL,
	"received" jsonb,
	"refund_amount" integer,
	"currency" text NOT NULL,
	"refusal" text,
	"version" integer DEFAULT 1 NOT NULL,
	"requested_at" timestamp with time zone DEFAULT now() NOT NULL,
	"decided_at" timestamp with time zone,
	"received_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "returns"."returns" ADD CONSTRAINT "returns_order_id_purchases_order_id_fk" FOREIGN KEY ("order_id") REFERENCES "returns"."purchases"("order_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "ended_sessions_at_index" ON "returns"."ended_sessions" USING btree ("at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_at_index" ON "returns"."idempotency_keys" USING btree ("at");--> statement-breakpoint
CREATE INDEX "purchases_customer_id_index" ON "returns"."purchases" USING btree ("customer_id");--> statement-breakpoint
CREATE INDEX "request_counts_expire_index" ON "returns"."request_counts" USING btree ("expire");--> statement-breakpoint
CREATE INDEX "returns_order_id_index" ON "returns"."returns" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "returns_customer_id_id_index" ON "returns"."returns" USING btree ("customer_id","id");--> statement-breakpoint
CREATE INDEX "returns_status_id_index" ON "returns"."returns" USING btree ("status","id");