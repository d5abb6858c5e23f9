#!/usr/bin/env bash
# Once, when the cluster is new: the logins of the services. The roles behind them are what migrations make; here
# they are only named, so that the logins can be their members before the first migration.
set -euo pipefail
psql --no-psqlrc --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
    --set=service="$SERVICE_PASSWORD" --set=reporting="$REPORTING_PASSWORD" <<'SQL'
CREATE ROLE quartermaster_owner NOLOGIN;
CREATE ROLE quartermaster_application NOLOGIN;
CREATE ROLE quartermaster_reporting NOLOGIN;
-- The APIs and the projector: whatever they are made to do, the log can't be altered by it.
CREATE ROLE quartermaster_service LOGIN PASSWORD :'service' IN ROLE quartermaster_application;
CREATE ROLE quartermaster_reader LOGIN PASSWORD :'reporting' IN ROLE quartermaster_reporting;
ALTER ROLE quartermaster_reader SET default_transaction_read_only = on;
ALTER ROLE quartermaster_reader SET statement_timeout = '60s';
SQL
