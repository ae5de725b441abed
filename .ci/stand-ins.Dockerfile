# A target for each image that the script beside it makes.
FROM debian:trixie-slim AS exporters
RUN apt-get update -qq \
  && apt-get install -y -qq --no-install-recommends busybox-static prometheus-postgres-exporter \
    prometheus-pgbouncer-exporter prometheus-node-exporter prometheus-blackbox-exporter >/dev/null \
  && rm -rf /var/lib/apt/lists/* \
  && ln -s busybox /usr/bin/wget

FROM exporters AS postgres-exporter
ENTRYPOINT ["prometheus-postgres-exporter"]

FROM exporters AS pgbouncer-exporter
RUN ln -s prometheus-pgbouncer-exporter /usr/bin/pgbouncer_exporter

FROM exporters AS node-exporter
ENTRYPOINT ["prometheus-node-exporter"]

FROM exporters AS blackbox-exporter
ENTRYPOINT ["prometheus-blackbox-exporter"]

FROM node:24-slim AS nats-exporter
COPY --from=exporters /usr/bin/busybox /usr/bin/wget
COPY nats-exporter.mjs /
ENTRYPOINT ["node", "/nats-exporter.mjs"]

FROM prom/alertmanager:v0.28.1 AS alertmanager
COPY --from=exporters /usr/bin/busybox /usr/bin/wget

FROM victoriametrics/victoria-logs:v1.52.1 AS victoria-logs
COPY --from=exporters /usr/bin/busybox /usr/bin/wget

FROM ghcr.io/joeferner/redis-commander:0.9.0 AS redis-commander
COPY <<'SCRIPT' /with-password
export REDIS_PASSWORD=$(cat "$REDIS_PASSWORD_FILE")
exec sh /entrypoint.sh "$@"
SCRIPT
ENTRYPOINT ["sh", "/with-password"]
