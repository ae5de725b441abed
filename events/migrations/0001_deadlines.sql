DROP INDEX "events"."outbox_unpublished";--> statement-breakpoint
ALTER TABLE "events"."outbox" ALTER COLUMN "awaits" SET DEFAULT '{}';--> statement-breakpoint
ALTER TABLE "events"."outbox" ADD COLUMN "due" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
CREATE INDEX "outbox_due" ON "events"."outbox" USING btree ("due","id") WHERE "events"."outbox"."published_at" is null;