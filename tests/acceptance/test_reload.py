"""Settings are taken without a restart: a secret that is rotated under load, a new source and a new account."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import urllib3
from standardwebhooks import Webhook

from bellhop.letters.source_secrets import await_taken, rotate_secret
from bellhop.vendors.settings import load
from tests.support.facts import salon_booking
from tests.support.service import SECRET, SOURCE, Service, free_port, wait_for

NEXT = "whsec_bmV4dCBzZWNyZXQgb2YgdGhlIHNhbWUgc291cmNlIQ=="
BEARER = "bearer-secret-of-another-source"


class Posters:
    """Post without a pause, half of them on connections that are kept and half on new ones."""

    def __init__(self, service: Service, threads: int = 4) -> None:
        self.secret = SECRET
        self.answers: Counter[object] = Counter()
        self._url = f"{service.url}/webhooks/{SOURCE}"
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(threads)]

    def __enter__(self) -> Posters:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        kept = urllib3.PoolManager(retries=False, timeout=10)
        for turn in range(100_000):
            if self._stop.is_set():
                return
            http = kept if number % 2 else urllib3.PoolManager(retries=False, timeout=10)
            id_, now = f"m-{number}-{turn}", datetime.now(UTC)
            body = json.dumps(
                {"type": "member.updated", "timestamp": now.isoformat(), "data": {"member_id": f"{number}{turn}"}}
            )
            headers = {
                "content-type": "application/json",
                "webhook-id": id_,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": Webhook(self.secret).sign(id_, now, body),
            }
            try:
                self.answers[http.request("POST", self._url, body=body, headers=headers).status] += 1
            except urllib3.exceptions.HTTPError as error:
                self.answers[type(error).__name__] += 1

    def more(self, count: int = 40) -> None:
        """Returns once so many more were answered."""
        until = self.answers.total() + count
        wait_for(lambda: self.answers.total() >= until, "posts go on")


def hang_up(service: Service, *parts: str) -> None:
    """As a service manager does: the first process of each part alone."""
    for part in parts or ("ingest", "archive", "work-1"):
        os.kill(service._processes[part].pid, signal.SIGHUP)


def lines(service: Service, part: str, event: str) -> list[dict[str, object]]:
    told = [json.loads(line) for line in (service.folder / f"{part}.log").read_text().splitlines() if line[:1] == "{"]
    return [line for line in told if line["event"] == event]


def rewrite(service: Service, old: str, new: str) -> None:
    text = service.settings.read_text()
    assert old in text
    service.settings.write_text(text.replace(old, new))


def taken(service: Service, times: int) -> None:
    for part, processes in (("ingest", 1), ("work-1", 1), ("archive", 1)):
        wait_for(
            lambda part=part, n=processes: len(lines(service, part, "settings.taken")) >= times * n, f"{part}: {times}"
        )  # type: ignore[misc]


def test_a_secret_is_rotated_under_load_without_one_refused_post_and_all_else_follows(alone: Service) -> None:
    service = alone
    service.start_all()
    for part in ("ingest", "work-1", "archive"):
        wait_for(lambda part=part: bool(lines(service, part, "settings.loaded")), f"{part} has its settings")  # type: ignore[misc]
    with Posters(service) as posters:
        posters.more()
        rewrite(service, f'secrets = ["{SECRET}"]', f'secrets = ["{SECRET}", "{NEXT}"]')
        hang_up(service)
        taken(service, 1)
        wait_for(lambda: len({one["digest"] for one in lines(service, "ingest", "settings.taken")}) == 1, "one digest")
        posters.more()
        posters.secret = NEXT
        posters.more()
        rewrite(service, f'secrets = ["{SECRET}", "{NEXT}"]', f'secrets = ["{NEXT}"]')
        hang_up(service)
        posters.more(200)
        # Settings that are wrong are refused whole, and nothing changes.
        whole = service.settings.read_text()
        service.settings.write_text(whole + '[venues.nowhere]\naccount = "none"\ntimezone = "Europe/London"\n')
        hang_up(service)
        for part in ("ingest", "work-1", "archive"):
            wait_for(lambda part=part: bool(lines(service, part, "settings.refused")), f"{part} refuses")  # type: ignore[misc]
        posters.more()
        service.settings.write_text(whole)
    assert set(posters.answers) == {202}, posters.answers
    # A source, an account and a venue that are new; and a port, which only a start takes.
    service.settings.write_text(
        whole.replace("[work]", "[work]\nport = 9")
        + f'[sources.pos]\nverifier = "bearer"\nsecrets = ["{BEARER}"]\n'
        + f'[accounts.second]\nkind = "simplybook"\nbase_url = "{service.sandbox_url}"\ncompany = "sandbox"\n'
        + 'api_key = "sandbox-api-key"\nsecret_key = "sandbox-secret-key"\nlate_after = "0s"\n'
        + 'connect_timeout = "1s"\nread_timeout = "1s"\n'
        + '[venues.annex]\naccount = "second"\ntimezone = "Europe/London"\n'
    )
    # The workers first: what they do not know yet, they could only refuse.
    for part in ("work-1", "archive", "ingest"):
        hang_up(service, part)
        wait_for(
            lambda part=part: ["work.port"] in [one["restart"] for one in lines(service, part, "settings.taken")], part
        )  # type: ignore[misc]
    booking = {**salon_booking("N-1", 1), "venue": "annex"}
    body = json.dumps(
        {"id": "new-1", "type": "booking.requested", "timestamp": datetime.now(UTC).isoformat(), "data": booking}
    )
    wait_for(lambda: service.post_to("pos", body, authorization=f"Bearer {BEARER}")[0] == 202, "the new source posts")
    wait_for(lambda: service.state_of("pos", "new-1") == "done", "the new account is booked at", 40)
    acts = [row for row in service.told("dead", "audit") if row["act"] == "reload settings"]
    assert {row["who"].split(" on ")[0] for row in acts} == {"ingest", "work", "archive"}
    for file in service.folder.glob("*.log"):
        assert not any(secret in file.read_text() for secret in (SECRET, NEXT, BEARER)), file


def test_a_rotated_secret_and_settings_read_anew_reach_every_part_without_a_signal(tmp_path: Path) -> None:
    with Service(tmp_path) as service:
        service.settings.write_text(service.settings.read_text() + f"[console]\nport = {free_port()}\n")
        service.start_all()
        service.start("console")
        kinds = {"ingest", "archive", "work", "console"}
        wait_for(lambda: {row["kind"] for row in service.told("parts")["rows"]} == kinds, "every part beats", 40)
        source, now = load(service.settings, {}).sources[SOURCE], datetime.now(UTC)
        ledger = service.ledger()
        with Posters(service) as posters:
            posters.more()
            made, new = rotate_secret(
                ledger.rotations, source, now=now, overlap=timedelta(seconds=8), who="ann", why="a laptop was lost"
            )
            assert await_taken(ledger.rotations, made)
            posters.more()
            posters.secret = new
            posters.more()
        assert set(posters.answers) == {202}, posters.answers
        wait_for(lambda: service.post("old", "member.updated", {"member_id": "1"}) == 401, "the old one is over", 30)
        assert service.run("send", "member.updated").returncode == 0  # by the new one, though the settings lack it
        assert json.loads(service.run("sources", "secrets", SOURCE).stdout.removeprefix("secrets = ")) == [new]
        ledger.close()

        whole = service.settings.read_text()
        service.settings.write_text(whole + '[venues.nowhere]\naccount = "none"\ntimezone = "Europe/London"\n')
        assert service.run("reload", "--why", "a typo").returncode == 2
        service.settings.write_text(whole + f'[sources.pos]\nverifier = "bearer"\nsecrets = ["{BEARER}"]\n')
        done = service.run("reload", "--why", "a new source")
        assert (done.returncode, "every part that runs" in done.stdout) == (0, True), done
        rows = [row for row in service.told("parts")["rows"] if row["state"] == "running"]
        assert ({row["kind"] for row in rows}, len({row["digest"] for row in rows})) == (kinds, 1)
        assert not any(row["differs"] for row in rows)
        body = json.dumps({"type": "member.updated", "timestamp": now.isoformat(), "data": {"member_id": "1"}})
        assert service.post_to("pos", body, authorization=f"Bearer {BEARER}")[0] == 422  # it is let in: no account
        acts = {(row["act"], row["who"].split(" on ")[0]) for row in service.told("dead", "audit")}
        assert {("reload settings", kind) for kind in kinds} <= acts
        for file in service.folder.glob("*.log"):
            assert not any(secret in file.read_text() for secret in (SECRET, new, BEARER)), file
