DROP INDEX "orders"."orders_overdue";--> statement-breakpoint
-- from here on, deadlines are events: this writes those of the orders that are waiting
INSERT INTO "events"."outbox" ("id", "type", "source", "subject", "data", "due")
SELECT gen_random_uuid(), 'order.deadline-reached', '/orders', "id"::text,
  jsonb_build_object('orderId', "id", 'milestone', CASE "status" WHEN 'confirmed' THEN 'shipment' ELSE 'confirmation' END),
  "deadline"
FROM "orders"."orders" WHERE "deadline" IS NOT NULL;
