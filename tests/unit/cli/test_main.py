from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.support.command_line import Run, runner


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in a folder of its own; exit code, stdout, stderr."""
    return runner(tmp_path, monkeypatch, capsys)


SETTINGS = """
[ledger]
url = "sqlite:///ledger.db"
[broker]
url = ["sqlite:///broker.db"]
[sources.crm]
verifier = "standard-webhooks"
secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
[accounts.salon]
kind = "simplybook"
company = "c"
api_key = "k"
secret_key = "s"
[venues.salon]
account = "salon"
timezone = "Europe/London"
"""


@pytest.mark.parametrize(
    "words",
    [("config", "check"), ("dead", "list"), ("queues",), ("send",), ("work",), ("archive",), ("ingest",)],
)
def test_a_wrong_setting_stops_any_command_with_one_line_and_exit_code_2(run: Run, words: tuple[str, ...]) -> None:
    Path("bellhop.toml").write_text("[ingest]\nport = 'x'")
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err == "bellhop.toml:2: ingest.port: not a valid integer; write a whole number from 0 to 65535\n"


def test_all_that_is_wrong_is_told_at_once_a_line_each(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = SETTINGS.replace("whsec_MfK", "whsec_!").replace('account = "salon"', 'account = "saloon"') + "zone = 1\n"
    Path("bellhop.toml").write_text(wrong)
    monkeypatch.setenv("BELLHOP_WORK__PORT", "many")
    code, out, err = run("config", "check")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "environment variable BELLHOP_WORK__PORT: work.port: not a valid integer; write a whole number from 0 to 65535",
        'bellhop.toml:8: sources.crm.secrets: must each be "whsec_" and base64, or "raw:" and the secret\'s own text',
        "bellhop.toml:15: venues.salon.account: is not one of the accounts; did you mean salon?",
        "bellhop.toml:17: venues.salon.zone: is not a setting; did you mean timezone?",
        "4 problems",
    ]


def test_a_source_whose_secret_has_not_its_schemes_form_is_told_by_config_check(run: Run) -> None:
    Path("bellhop.toml").write_text(SETTINGS.replace("whsec_MfK", "whsec_!"))
    code, _, err = run("config", "check")
    assert code == 2
    assert err.startswith("bellhop.toml:8: sources.crm.secrets: must each")
    assert err.count("\n") == 1


def test_a_webhook_for_an_ingress_on_ipv6_has_its_address_in_brackets(run: Run) -> None:
    Path("bellhop.toml").write_text(SETTINGS + '[ingest]\nhost = "::1"\n')
    code, out, _ = run("send", "--curl")
    assert (code, "curl -i 'http://[::1]:8080/webhooks/crm'" in out) == (0, True)


def test_settings_that_are_well_are_ok(run: Run) -> None:
    Path("bellhop.toml").write_text(SETTINGS)
    assert run("config", "check") == (0, "ok: 1 source, 1 account, 1 venue\n", "")


def test_the_example_and_the_schema_are_printed_without_any_settings(run: Run) -> None:
    code, example, err = run("config", "example")
    assert (code, err) == (0, "")
    assert "[accounts.club]" in example
    code, schema, err = run("config", "schema")
    assert (code, err, json.loads(schema)["type"]) == (0, "", "object")


def test_a_copy_of_the_example_is_refused_for_every_value_of_ones_own_and_nothing_else(run: Run) -> None:
    example = run("config", "example")[1]
    Path("bellhop.toml").write_text(example)
    code, _, err = run("config", "check")
    lines = example.splitlines()
    unfilled = [number for number, line in enumerate(lines, start=1) if "…" in line and not line.startswith("#")]
    assert (code, len(unfilled)) == (2, 9)
    *told, count = err.splitlines()
    assert [line.partition(": ")[0] for line in told] == [f"bellhop.toml:{number}" for number in unfilled]
    assert all(line.endswith("is still the example's …; write your own") for line in told)
    assert count == "9 problems"


def test_wrong_usage_is_exit_code_2(run: Run) -> None:
    Path("bellhop.toml").write_text(SETTINGS)
    for words in (("bogus",), ("work", "bogus"), ("dead", "replay", "--yes"), ("dead", "discard", "1", "--rate", "5")):
        code, _, err = run(*words)
        assert code == 2
        assert "Traceback" not in err


def test_a_ledger_that_cannot_be_opened_is_one_line_and_exit_code_1(run: Run) -> None:
    Path("bellhop.toml").write_text(SETTINGS.replace("sqlite:///ledger.db", "sqlite:////proc/none/ledger.db"))
    code, out, err = run("dead", "list")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("bellhop: ledger.url:")


@pytest.mark.parametrize(
    ("file", "url", "words", "key"),
    [
        ("ledger.db", "postgresql://bellhop:hidden@127.0.0.1:9/none", ("dead", "list"), "ledger.url"),
        ("broker.db", "amqp://guest:hidden@127.0.0.1:9/", ("routes", "retry-now", "pulls", "--why", "x"), "broker.url"),
    ],
)
def test_what_is_away_is_told_with_the_setting_that_names_it(
    run: Run, file: str, url: str, words: tuple[str, ...], key: str
) -> None:
    Path("bellhop.toml").write_text(SETTINGS.replace(f"sqlite:///{file}", url))
    code, out, err = run(*words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert f"that {key} names is up" in err
    assert "hidden" not in err


def test_an_ingress_that_is_not_there_is_one_line_and_exit_code_1(run: Run) -> None:
    Path("bellhop.toml").write_text(SETTINGS)
    code, _, err = run("send", "--to", "http://127.0.0.1:9")
    assert (code, err.count("\n")) == (1, 1)
    assert "is the ingress running?" in err


def test_nothing_to_show_is_an_empty_list(run: Run) -> None:
    Path("bellhop.toml").write_text(SETTINGS)
    for words in (("dead", "list", "--json"), ("dead", "audit", "--json")):
        code, out, _ = run(*words)
        assert (code, json.loads(out)) == (0, [])
    assert run("dead", "list")[:2] == (0, "0 dead letters\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("jobs", "list"), "no bulk jobs"),
        (("refused", "causes"), "no refused post waits to be taken"),
        (("refused", "list", "crm"), "no refused post of crm is kept: what is older than 7 days is gone"),
        (("sources", "links"), "no links"),
        (("sources", "asks"), "no source asks for anything"),
        (("users", "list"), "no users"),
        (("tokens", "list"), "no API tokens"),
        (("floods", "list"), "the flood guard holds nothing, and has held nothing"),
        (("dead", "causes"), "0 causes"),
        (
            ("dead", "list", "--account", "salom"),
            "0 of 0 dead letters match: `bellhop dead causes` shows what there is",
        ),
    ],
)
def test_a_list_of_nothing_says_so_in_words(run: Run, words: tuple[str, ...], told: str) -> None:
    Path("bellhop.toml").write_text(SETTINGS)
    assert run(*words) == (0, f"{told}\n", "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("dead", "show", "7"), "there is no dead letter 7: `bellhop dead list` lists those that wait"),
        (("dead", "notes", "7"), "there is no dead letter 7: `bellhop dead list` lists those that wait"),
        (
            ("dead", "restore", "7", "--why", "x"),
            "no dead letter that is discarded matches: `bellhop dead list --state discarded` lists them",
        ),
        (("jobs", "show", "7"), "there is no job 7: `bellhop jobs list` lists them"),
        (("jobs", "pause", "7", "--why", "x"), "there is no job 7: `bellhop jobs list` lists them"),
        (("tokens", "revoke", "7"), "there is no token 7: `bellhop tokens list` lists them"),
        (
            ("events", "show", "crm", "e-1"),
            "no worker has taken event e-1 of crm yet, or there is none: `bellhop dead search` looks for any id, "
            "`bellhop queues` shows what waits",
        ),
        (("users", "change", "ann", "--disable"), "there is no user ann: `bellhop users list` lists them"),
        (("floods", "release", "7", "--why", "x"), "there is no open flood 7: `bellhop floods list` lists them"),
        (("sources", "link", "crn"), "there is no source crn in the settings: `bellhop sources list` lists them"),
        (("ledger", "restore", "none.db", "--why", "x"), "there is no file none.db"),
    ],
)
def test_an_error_about_what_is_not_there_says_where_to_look(run: Run, words: tuple[str, ...], told: str) -> None:
    Path("bellhop.toml").write_text(SETTINGS)
    assert run(*words) == (1, "", f"bellhop: {told}\n")


def test_a_question_that_nobody_can_answer_says_how_it_is_not_asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    Path("bellhop.toml").write_text(SETTINGS)
    Path("copy.db").write_text("")
    code, _, err = run("ledger", "restore", "copy.db", "--why", "x")
    assert code == 1
    assert err.endswith("bellhop: nobody answered, and nothing was done: --yes does it without asking\n")


@pytest.mark.parametrize(
    ("content", "options", "status"),
    [("{", (), 400), ("{}", (), 422), ("{}", ("--content-type", "image/png"), 415), (" " * 2_000_000, (), 413)],
)
def test_a_tried_body_is_told_the_status_that_a_post_would_be_answered(
    run: Run, content: str, options: tuple[str, ...], status: int
) -> None:
    Path("bellhop.toml").write_text(SETTINGS)
    Path("body").write_text(content)
    code, out, _ = run("sources", "try", "crm", "body", *options)
    assert (code, out.splitlines()[-1]) == (1, f"would be answered {status}")


@pytest.mark.parametrize(
    "words", [("dead", "show", "1"), ("events", "show", "crm", "e1"), ("dead", "replay", "1", "--why", "x", "--yes")]
)
def test_what_is_not_there_is_one_line_and_exit_code_1(run: Run, words: tuple[str, ...]) -> None:
    Path("bellhop.toml").write_text(SETTINGS)
    code, out, err = run(*words)
    assert (code, out, err.count("\n")) == (1, "", 1)


def test_the_sandbox_needs_no_settings_and_tells_a_port_that_is_taken(run: Run) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = run("sandbox", "--port", str(taken.getsockname()[1]))
    assert (code, err.count("\n")) == (1, 1)
    assert "in use" in err


def test_a_webhook_can_be_printed_as_a_command_line(run: Run) -> None:
    Path("bellhop.toml").write_text(SETTINGS)
    code, out, _ = run("send", "booking.cancelled", "--booking-id", "R-1", "--curl", "--to", "http://host/")
    assert code == 0
    assert out.startswith("curl -i http://host/webhooks/crm")
    assert "webhook-signature: v1," in out
    assert '"booking_id": "R-1"' in out
    assert "whsec_" not in out
