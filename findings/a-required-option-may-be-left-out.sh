#!/usr/bin/env bash
# What is shown: an option or argument of click declared `required=True, default=None` was asked for up to 8.2, and may be
#   left out since 8.3: the command runs with None. An environment variable that is set and empty is enough, too. With
#   `multiple` or `nargs=-1` it is asked for in both.
# Seen with: click 8.2.1 beside 8.5.1 on CPython 3.11. None counts as a default that somebody chose, so nothing is missing.
# Valid input: both keywords at once, as decorators that pass `default=None` through write them.
# Why it matters: `delete --account` without its value becomes a call with account=None, which in many programs means all.
# Nothing of Bellhop is used. Ends with 0 while the behaviour is as described, with 1 once it is not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/shown.py" <<'PY'
import click
from click.testing import CliRunner


def outcome(parameter, environment=None):
    command = click.command()(parameter(lambda **given: click.echo(given)))
    return CliRunner().invoke(command, [], env=environment).exit_code


print(
    outcome(click.option("--account", required=True, default=None)),
    outcome(click.option("--account", required=True, default=None, envvar="ACCOUNT"), {"ACCOUNT": ""}),
    outcome(click.argument("account", required=True, default=None)),
    outcome(click.option("--account", required=True, default=None, multiple=True)),
)
PY
for version in 8.2.1 8.5.1; do
    python3 -m venv "$work/$version"
    "$work/$version/bin/pip" install --quiet --disable-pip-version-check "click==$version"
    "$work/$version/bin/python" "$work/shown.py" > "$work/$version.seen"
    echo "click $version, exit codes (2: it says what is missing): $(cat "$work/$version.seen")"
done
[ "$(cat "$work/8.2.1.seen")" = "2 2 2 2" ] && [ "$(cat "$work/8.5.1.seen")" = "0 0 0 2" ]
