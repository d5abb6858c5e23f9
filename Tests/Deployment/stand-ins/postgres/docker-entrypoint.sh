#!/usr/bin/env bash
# What compose/ relies on of the image's entrypoint: a cluster when there is none, a superuser with a password, a
# database, and the scripts of docker-entrypoint-initdb.d, once.
set -euo pipefail
if [[ ${1:-} != postgres ]]; then exec "$@"; fi
if ((EUID == 0)); then
    mkdir -p /var/run/postgresql "$PGDATA"
    chown postgres:postgres /var/run/postgresql "$PGDATA"
    chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
fi
if [[ ! -s $PGDATA/PG_VERSION ]]; then
    # shellcheck disable=SC2086 # several arguments in one variable
    initdb --username="$POSTGRES_USER" --auth-local=trust --auth-host=scram-sha-256 \
        --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") ${POSTGRES_INITDB_ARGS:-}
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    pg_ctl -w start -o "-c listen_addresses=''"
    [[ $POSTGRES_DB == postgres ]] || createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
    for script in /docker-entrypoint-initdb.d/*.sh; do bash "$script"; done
    pg_ctl -w stop -m fast
fi
exec "$@"
