-- for parts of names and addresses
CREATE EXTENSION IF NOT EXISTS pg_trgm;--> statement-breakpoint
CREATE INDEX "users_search" ON "users"."users" USING gin ("name" gin_trgm_ops,"email" gin_trgm_ops);