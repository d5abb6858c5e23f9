#!/usr/bin/env bash
# What the scripts of this folder share; read by them, not run.

step() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { warn "$*"; exit 1; }

# Docker's compose, as a plugin or a program of its own.
compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose "$@" 9>&-
    else
        docker-compose "$@" 9>&-
    fi
}

# The value of a variable in .env.
setting() { sed -n "s/^$1=//p" .env | tail -1; }

# Changes a variable in .env, whole or not at all.
set_setting() {
    local part=.env.part
    (umask 077 && awk -v name="$1" -v value="$2" '
        index($0, name "=") == 1 { print name "=" value; found = 1; next }
        { print }
        END { if (!found) print name "=" value }' .env >"$part")
    mv "$part" .env
}

# The container of a service, running or not, without those of 'compose run'.
container() {
    docker ps -aq --filter "label=com.docker.compose.project=$(setting COMPOSE_PROJECT_NAME)" \
        --filter "label=com.docker.compose.service=$1" --filter "label=com.docker.compose.oneoff=False" | head -1
}

# The image that a service's container was made of.
image() { docker inspect --format '{{.Config.Image}}' "$(container "$1")" 2>/dev/null || true; }

# How a service's container is: healthy, unhealthy, starting, restarting, exited, or missing.
health() {
    local id
    id=$(container "$1")
    [[ $id ]] || { echo missing; return; }
    docker inspect --format '{{if and .State.Running .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' "$id"
}

# Tells whoever wants to know; nothing is held up by it.
tell() {
    local url text
    url=$(setting DEPLOY_WEBHOOK)
    [[ $url ]] || return 0
    text="$(setting COMPOSE_PROJECT_NAME) at $(setting SITE): $*"
    curl -fsS -m 10 -H 'Content-Type: application/json' \
        -d "{\"text\":\"${text//[\"\\]/}\"}" "$url" >/dev/null || warn "the webhook did not answer"
}
