ALTER TABLE "events"."inbox" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "events"."outbox" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE POLICY "delivery" ON "events"."inbox" AS PERMISSIVE FOR ALL TO "events" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "delivery" ON "events"."outbox" AS PERMISSIVE FOR ALL TO "events" USING (true) WITH CHECK (true);