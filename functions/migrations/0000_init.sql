CREATE SCHEMA "events";
--> statement-breakpoint
CREATE SCHEMA "users";
--> statement-breakpoint
CREATE SCHEMA "stock";
--> statement-breakpoint
CREATE SCHEMA "orders";
--> statement-breakpoint
CREATE SCHEMA "payments";
--> statement-breakpoint
CREATE TABLE "events"."failures" (
	"reaction" text NOT NULL,
	"event_id" uuid NOT NULL,
	"event" jsonb NOT NULL,
	"attempts" integer NOT NULL,
	"error" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"next_at" timestamp with time zone,
	"parked_at" timestamp with time zone,
	"dropped_at" timestamp with time zone,
	CONSTRAINT "failures_event_id_reaction_pk" PRIMARY KEY("event_id","reaction")
);
--> statement-breakpoint
CREATE TABLE "events"."inbox" (
	"reaction" text NOT NULL,
	"event_id" uuid NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "inbox_event_id_reaction_pk" PRIMARY KEY("event_id","reaction")
);
--> statement-breakpoint
CREATE TABLE "events"."outbox" (
	"id" uuid PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"source" text NOT NULL,
	"subject" text NOT NULL,
	"data" jsonb NOT NULL,
	"traceparent" text,
	"time" timestamp with time zone DEFAULT now() NOT NULL,
	"awaits" text[] NOT NULL,
	"publishes" integer DEFAULT 0 NOT NULL,
	"published_at" timestamp with time zone,
	"settled_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "users"."idempotency_keys" (
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
CREATE TABLE "users"."users" (
	"id" uuid PRIMARY KEY NOT NULL,
	"email" text,
	"name" text,
	"password_hash" text,
	"role" text NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "users_email" UNIQUE("email"),
	CONSTRAINT "users_whole_or_anonymous" CHECK (case when "users"."users"."deleted_at" is null then num_nulls("users"."users"."email", "users"."users"."name", "users"."users"."password_hash") = 0 else num_nonnulls("users"."users"."email", "users"."users"."name", "users"."users"."password_hash") = 0 end)
);
--> statement-breakpoint
CREATE TABLE "users"."attempts" (
	"key" text PRIMARY KEY NOT NULL,
	"points" integer DEFAULT 0 NOT NULL,
	"expire" bigint
);
--> statement-breakpoint
CREATE TABLE "users"."refresh_tokens" (
	"hash" text PRIMARY KEY NOT NULL,
	"session_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "users"."sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone
);
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
CREATE TABLE "orders"."idempotency_keys" (
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
CREATE TABLE "orders"."orders" (
	"id" uuid PRIMARY KEY NOT NULL,
	"customer_id" uuid NOT NULL,
	"status" text NOT NULL,
	"lines" jsonb NOT NULL,
	"total_amount" integer NOT NULL,
	"currency" text NOT NULL,
	"delivery_address" jsonb NOT NULL,
	"note" text,
	"reason" text,
	"version" integer DEFAULT 1 NOT NULL,
	"entries" integer DEFAULT 1 NOT NULL,
	"placed_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"deadline" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "orders"."products" (
	"sku" text PRIMARY KEY NOT NULL,
	"product_id" uuid NOT NULL,
	"name" text NOT NULL,
	"price_amount" integer NOT NULL,
	"currency" text NOT NULL,
	"version" integer NOT NULL,
	"deleted_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "orders"."timeline" (
	"order_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"type" text NOT NULL,
	"detail" text,
	"status" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "timeline_order_id_seq_pk" PRIMARY KEY("order_id","seq")
);
--> statement-breakpoint
CREATE TABLE "payments"."idempotency_keys" (
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
CREATE TABLE "payments"."payments" (
	"id" uuid PRIMARY KEY NOT NULL,
	"order_id" uuid NOT NULL,
	"customer_id" uuid,
	"status" text NOT NULL,
	"amount" integer NOT NULL,
	"currency" text NOT NULL,
	"captured" integer DEFAULT 0 NOT NULL,
	"refunded" integer DEFAULT 0 NOT NULL,
	"refunding" integer DEFAULT 0 NOT NULL,
	"card_token" text,
	"provider_id" text,
	"reason" text,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payments_order_id_unique" UNIQUE("order_id"),
	CONSTRAINT "payments_captured" CHECK ("payments"."payments"."captured" between 0 and "payments"."payments"."amount"),
	CONSTRAINT "payments_refunded" CHECK ("payments"."payments"."refunded" >= 0 and "payments"."payments"."refunding" >= 0),
	CONSTRAINT "payments_left" CHECK ("payments"."payments"."refunded" + "payments"."payments"."refunding" <= "payments"."payments"."captured")
);
--> statement-breakpoint
CREATE TABLE "payments"."refunds" (
	"id" uuid PRIMARY KEY NOT NULL,
	"payment_id" uuid NOT NULL,
	"amount" integer NOT NULL,
	"reason" text NOT NULL,
	"status" text NOT NULL,
	"caller" text,
	"key" text,
	"hash" text,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "users"."refresh_tokens" ADD CONSTRAINT "refresh_tokens_session_id_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "users"."sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "users"."sessions" ADD CONSTRAINT "sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "users"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payments"."refunds" ADD CONSTRAINT "refunds_payment_id_payments_id_fk" FOREIGN KEY ("payment_id") REFERENCES "payments"."payments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "failures_due" ON "events"."failures" USING btree ("next_at");--> statement-breakpoint
CREATE INDEX "inbox_at" ON "events"."inbox" USING btree ("at");--> statement-breakpoint
CREATE INDEX "outbox_unpublished" ON "events"."outbox" USING btree ("id") WHERE "events"."outbox"."published_at" is null;--> statement-breakpoint
CREATE INDEX "outbox_unsettled" ON "events"."outbox" USING btree ("published_at") WHERE "events"."outbox"."settled_at" is null;--> statement-breakpoint
CREATE INDEX "outbox_settled" ON "events"."outbox" USING btree ("settled_at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_at_index" ON "users"."idempotency_keys" USING btree ("at");--> statement-breakpoint
CREATE INDEX "users_role_id_index" ON "users"."users" USING btree ("role","id");--> statement-breakpoint
CREATE INDEX "users_name_id_index" ON "users"."users" USING btree ("name","id");--> statement-breakpoint
CREATE INDEX "attempts_expire_index" ON "users"."attempts" USING btree ("expire");--> statement-breakpoint
CREATE INDEX "refresh_tokens_session_id_index" ON "users"."refresh_tokens" USING btree ("session_id");--> statement-breakpoint
CREATE INDEX "sessions_user_id_index" ON "users"."sessions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "adjustments_sku_id_index" ON "stock"."adjustments" USING btree ("sku","id");--> statement-breakpoint
CREATE INDEX "idempotency_keys_at_index" ON "stock"."idempotency_keys" USING btree ("at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_at_index" ON "orders"."idempotency_keys" USING btree ("at");--> statement-breakpoint
CREATE INDEX "orders_customer_id_id_index" ON "orders"."orders" USING btree ("customer_id","id");--> statement-breakpoint
CREATE INDEX "orders_status_id_index" ON "orders"."orders" USING btree ("status","id");--> statement-breakpoint
CREATE INDEX "orders_overdue" ON "orders"."orders" USING btree ("deadline");--> statement-breakpoint
CREATE INDEX "idempotency_keys_at_index" ON "payments"."idempotency_keys" USING btree ("at");--> statement-breakpoint
CREATE INDEX "payments_customer_id_id_index" ON "payments"."payments" USING btree ("customer_id","id");--> statement-breakpoint
CREATE INDEX "payments_status_id_index" ON "payments"."payments" USING btree ("status","id");--> statement-breakpoint
CREATE INDEX "refunds_payment_id_index" ON "payments"."refunds" USING btree ("payment_id");--> statement-breakpoint
CREATE UNIQUE INDEX "refunds_pending" ON "payments"."refunds" USING btree ("caller","key");