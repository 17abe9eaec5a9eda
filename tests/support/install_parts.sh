#!/usr/bin/env bash
# Installs RabbitMQ, PostgreSQL, PgBouncer, Prometheus, Chromium, PHP, Node.js, Ruby, Mono, curl, jq and libfaketime for
# the tests where they are missing and may be installed, and clients for Node.js beside their lock file; says so where
# not.
# The tests start private nodes of their own: no service is started here, and none is left enabled.
set -euo pipefail

have_rabbitmq() { [[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]] || command -v rabbitmq-server >/dev/null; }
have_postgresql() { command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
have_pgbouncer() { command -v pgbouncer >/dev/null || [[ -x /usr/sbin/pgbouncer ]]; }
have_prometheus() { command -v prometheus >/dev/null && command -v promtool >/dev/null; }
have_faketime() { compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null; }
have_chromium() { [[ -n ${CHROMIUM:-} ]] || command -v chromium chromium-browser google-chrome >/dev/null; }

missing=()
have_rabbitmq || missing+=(rabbitmq-server)
have_postgresql || missing+=(postgresql)
have_pgbouncer || missing+=(pgbouncer)
have_prometheus || missing+=(prometheus)
have_chromium || missing+=(chromium)
have_faketime || missing+=(libfaketime)
command -v curl >/dev/null || missing+=(curl)
command -v jq >/dev/null || missing+=(jq)
command -v php >/dev/null || missing+=(php-cli)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
command -v ruby >/dev/null || missing+=(ruby)
command -v mcs >/dev/null || missing+=(mono-mcs libmono-system-net-http4.0-cil)

node_clients() {
    local folder
    folder=$(dirname "$0")/node
    [[ $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ]] && return
    command -v npm >/dev/null || return 0
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent ||
        printf '\n*** The JSON-RPC clients for Node.js could not be fetched.\n\n' >&2
}

((${#missing[@]})) || { node_clients; exit 0; }

give_up() {
    printf '\n*** %s: %s.\n*** The tests that need it %s.\n\n' "$1" "${missing[*]}" \
        "$([[ ${CI:-} == true ]] && echo 'WILL FAIL' || echo 'ARE SKIPPED')" >&2
    node_clients
    exit 0
}

as_root=()
if ((EUID != 0)); then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || give_up 'not installed, and this user may not install it'
    as_root=(sudo -n)
fi
command -v apt-get >/dev/null || give_up 'not installed, and this system has no apt-get'

# Debian's packages start their services when they are installed, unless this file says no. One that is already there
# has its own reasons and stays.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
fi

echo "installing ${missing[*]} for the tests …"
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"; }
apt update || give_up 'the package lists could not be fetched'
apt install -y --no-install-recommends "${missing[@]}" >/dev/null || give_up 'could not be installed'
if [[ -d /run/systemd/system ]]; then
    "${as_root[@]}" systemctl disable --quiet "${missing[@]}" || true
fi
node_clients
