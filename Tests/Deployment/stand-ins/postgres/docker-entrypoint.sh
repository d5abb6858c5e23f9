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
    : "${POSTGRES_USER:=postgres}" "${POSTGRES_DB:=$POSTGRES_USER}" "${POSTGRES_HOST_AUTH_METHOD:=scram-sha-256}"
    [[ ${POSTGRES_PASSWORD:-} || $POSTGRES_HOST_AUTH_METHOD == trust ]] || { echo "POSTGRES_PASSWORD is missing" >&2; exit 1; }
    # shellcheck disable=SC2086 # several arguments in one variable
    initdb --username="$POSTGRES_USER" --auth-local=trust --auth-host=scram-sha-256 \
        --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-none}") ${POSTGRES_INITDB_ARGS:-}
    echo "host all all all $POSTGRES_HOST_AUTH_METHOD" >>"$PGDATA/pg_hba.conf"
    pg_ctl -w start -o "-c listen_addresses=''"
    [[ $POSTGRES_DB == postgres ]] || createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
    for script in /docker-entrypoint-initdb.d/*.sh; do [[ ! -e $script ]] || bash "$script"; done
    pg_ctl -w stop -m fast
fi
exec "$@"
