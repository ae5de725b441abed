-- While the index is built, the outbox is locked: 10 million events take some seconds. To avoid that, create it before the
-- migration: CREATE INDEX CONCURRENTLY "outbox_settled_at" ON "events"."outbox" ("settled_at") WHERE "settled_at" IS NOT NULL
-- The old index is dropped first, so that the strongest lock is taken first: otherwise a relay could deadlock with this.
DROP INDEX "events"."outbox_settled";--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "outbox_settled_at" ON "events"."outbox" USING btree ("settled_at") WHERE "events"."outbox"."settled_at" is not null;
