DROP INDEX "users"."users_name_id_index";--> statement-breakpoint
CREATE INDEX "users_by_name" ON "users"."users" USING btree ("name" collate "und-x-icu","id");