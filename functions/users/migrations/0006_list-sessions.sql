ALTER TABLE "users"."sessions" ADD COLUMN "device" text;--> statement-breakpoint
ALTER TABLE "users"."sessions" ADD COLUMN "place" text;