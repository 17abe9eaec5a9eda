#!/usr/bin/env bash
# `make test-rabbitmq`: the broker's contract, the way of a message and a drill on each RabbitMQ that newer Debians have.
# They are unpacked into RABBITMQ_ROOTS (/var/tmp) and stay there; SUITES chooses among them. What cannot be had is said,
# and fails with CI=true.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
roots=${RABBITMQ_ROOTS:-/var/tmp} code=0
if ((EUID == 0)) && ! command -v debootstrap >/dev/null; then
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends debootstrap >/dev/null
fi
for suite in ${SUITES:-trixie:4.0 sid:4.3}; do
    root=$roots/rabbitmq-${suite#*:}
    if ! tests/support/rabbitmq_root.sh "${suite%:*}" "$root" 2>"$roots/rabbitmq-${suite#*:}.log"; then
        tail -n 5 "$roots/rabbitmq-${suite#*:}.log" >&2
        rm -rf "$root"
        printf '\n*** RabbitMQ %s could not be had: %s\n\n' "${suite#*:}" \
            "$([[ ${CI:-} == true ]] && echo 'THIS FAILS' || echo 'its tests ARE SKIPPED')" >&2
        [[ ${CI:-} == true ]] && code=1
        continue
    fi
    echo "RabbitMQ ${suite#*:}, of Debian ${suite%:*}:"
    DRILL_RABBITMQ_ROOT=$root .venv/bin/pytest --numprocesses 2 -k 'not embedded and not sqlite' --dist loadfile \
        tests/contract/broker tests/integration/broker/rabbitmq \
        tests/acceptance/test_way.py tests/acceptance/test_drill.py "$@" || code=1
done
exit $code
