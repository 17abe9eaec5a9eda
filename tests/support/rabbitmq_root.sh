#!/usr/bin/env bash
# Unpacks another Debian with its RabbitMQ into a folder, where private nodes of it are started:
#   tests/support/rabbitmq_root.sh trixie /var/tmp/rabbitmq-4.0     # 4.0
#   tests/support/rabbitmq_root.sh sid /var/tmp/rabbitmq-4.3        # 4.3
#   DRILL_RABBITMQ_ROOT=/var/tmp/rabbitmq-4.3 bellhop drill run --broker rabbitmq
# Needs root, debootstrap and a mirror of Debian: MIRROR, else the one of this machine's own packages where it is a
# Debian, else debootstrap's.
set -euo pipefail
suite=$1 root=$2
[[ -e $root/usr/lib/rabbitmq/bin/rabbitmq-server ]] && exit 0
if ((EUID != 0)) || ! command -v debootstrap >/dev/null; then
  echo "RabbitMQ of $suite is not to be had here: it takes root, and debootstrap (apt-get install debootstrap)" >&2
  exit 3
fi
mirror=${MIRROR:-}
if [[ -z $mirror ]] && grep -q '^ID=debian' /etc/os-release; then
  mirror=$(apt-get indextargets --format '$(REPO_URI)' | head -n 1)
fi
debootstrap --variant=minbase --include=rabbitmq-server "$suite" "$root" ${mirror:+"$mirror"} >&2
printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
