CREATE SCHEMA "events";
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
	"stream_seq" bigint,
	"settled_at" timestamp with time zone
);
--> statement-breakpoint
CREATE INDEX "failures_due" ON "events"."failures" USING btree ("next_at");--> statement-breakpoint
CREATE INDEX "inbox_at" ON "events"."inbox" USING btree ("at");--> statement-breakpoint
CREATE INDEX "outbox_unpublished" ON "events"."outbox" USING btree ("id") WHERE "events"."outbox"."published_at" is null;--> statement-breakpoint
CREATE INDEX "outbox_unsettled" ON "events"."outbox" USING btree ("published_at") WHERE "events"."outbox"."settled_at" is null;--> statement-breakpoint
CREATE INDEX "outbox_settled" ON "events"."outbox" USING btree ("settled_at");