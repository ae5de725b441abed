CREATE TABLE "orders"."request_counts" (
	"key" text PRIMARY KEY NOT NULL,
	"points" integer DEFAULT 0 NOT NULL,
	"expire" bigint
);
--> statement-breakpoint
CREATE INDEX "request_counts_expire_index" ON "orders"."request_counts" USING btree ("expire");