"""A person's word on what is in doubt is held against the vendor first, where that can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bellhop.cli.main import cli
from bellhop.ledger.records import LetterState, Refused, State, VendorCall
from bellhop.ledger.store import Ledger
from bellhop.letters.doubts import Words
from bellhop.letters.looks import Contradicted
from bellhop.sandbox.server import Sandbox
from bellhop.schemas.clock import SYSTEM_CLOCK, Clock, utc_now
from bellhop.schemas.reasons import Reason
from bellhop.vendors.settings import load
from bellhop.vendors.vendor import Said
from tests.integration.letters.test_words import SETTINGS, STARTS, asked, away, booked_there
from tests.support.command_line import runner
from tests.support.ledger import die_in_doubt, letter, sqlite_ledger

DAY, TIME = STARTS[0].split("T")
CLUB = """
[accounts.pv]
kind = "peoplevine"
base_url = "{url}"
auth_id = "sandbox"
company = "4711"
user = "bellhop"
password = "sandbox-password"
"""


LATER = Clock(now=lambda: utc_now() + timedelta(minutes=10))
"""When no call may be carried out any more."""


class House:
    """A ledger beside a sandbox, with dead letter 1: its event's booking of the first start is in doubt."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.url = sandbox.url
        self.file = folder / "bellhop.toml"
        self.ledger_url = sqlite_ledger(folder)
        places = f'[broker]\nurl = "sqlite:///{folder}/broker.db"\n[ledger]\nurl = "{self.ledger_url}"\n'
        self.file.write_text(places + (SETTINGS + CLUB).format(url=sandbox.url))
        self.ledger = Ledger.open(self.ledger_url, keep_seconds=90 * 86400)
        arguments = {"event_id": "7", "unit_id": "1", "date": DAY, "time": TIME, "count": 1}
        self.call = VendorCall("sb", "book", arguments, repeatable=False)

    def die(self, call: VendorCall | None = None) -> None:
        event = asked()
        event.data["services"] = event.data["services"][:1]
        die_in_doubt(self.ledger, event, call or self.call)
        self.ledger.letters.archive([letter(event, Reason.IN_DOUBT)])

    def words(self, clock: Clock = LATER) -> Words:
        return Words(self.ledger, load(self.file, {}), away, clock=clock)

    @property
    def state(self) -> LetterState:
        found = self.ledger.letters.get(1)
        assert found is not None
        return found.state


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Sandbox() as sandbox:
        made = House(tmp_path, sandbox)
        yield made
        made.ledger.close()


def test_what_the_vendor_may_still_carry_out_is_not_absent_yet(house: House) -> None:
    house.die()
    with pytest.raises(Contradicted, match=r"may be carried out for 1\d\d seconds more: .*--force"):
        house.words(SYSTEM_CLOCK).absent(1, who="ann", why="not in the calendar")
    assert house.state is LetterState.OPEN


def test_that_it_is_absent_is_taken_only_with_force_where_its_slot_is_taken(house: House) -> None:
    house.die()
    booked_there(house.url, STARTS[0])
    with pytest.raises(Contradicted, match="not offered any more, perhaps as this very booking has it"):
        house.words().absent(1, who="ann", why="not in the calendar")
    assert house.state is LetterState.OPEN
    assert house.words().absent(1, who="ann", why="it is Ben's", force=True).letters == (1,)


def test_the_command_says_what_the_vendor_says_and_does_nothing_without_force(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    house.die()
    run = runner(tmp_path, monkeypatch, capsys)
    words = ("dead", "absent", "1", "--why", "not in the calendar")
    code, _, told = run(*words)
    assert (code, house.state) == (1, LetterState.OPEN)
    assert told.startswith("bellhop: its call may be carried out for")
    assert (run(*words, "--force")[0], house.state) == (0, LetterState.REPLAYED)


def test_that_it_is_absent_is_taken_where_its_slot_is_free(house: House) -> None:
    house.die()
    answered = house.words().absent(1, who="ann", why="not in the calendar")
    assert (answered.letters, answered.note) == ((1,), "")


def test_that_it_is_there_is_taken_only_with_force_where_its_slot_is_free(house: House) -> None:
    house.die()
    with pytest.raises(Contradicted, match="still offered, so that no booking of it stands"):
        house.words().there(1, [Said("77")], who="ann", why="seen")
    assert house.words().there(1, [Said("77")], who="ann", why="seen", force=True).letters == (1,)


def test_what_is_there_by_its_hash_is_asked_for_nothing_more(house: House) -> None:
    house.die()
    assert house.words().there(1, [booked_there(house.url, STARTS[0])], who="ann", why="seen").note == ""


@pytest.mark.parametrize("method", ["book", "create_service_reservation"])
def test_where_no_vendor_tells_the_word_is_taken_and_that_is_said(house: House, method: str) -> None:
    """A provider who serves several at once; a vendor whose slots may hold several."""
    several = replace(house.call, arguments={**house.call.arguments, "unit_id": "65"})
    offers = [{"service_id": "7", "technician_id": "100", "start": STARTS[0], "end": STARTS[1]}]
    reservation = VendorCall("pv", method, {"offers": offers, "slot": "a"}, repeatable=False)
    house.die(several if method == "book" else reservation)
    answered = house.words().absent(1, who="ann", why="not in the calendar")
    assert answered.letters == (1,)
    assert "does not tell whether it is there" in answered.note


def test_where_the_vendor_cannot_be_asked_the_word_is_taken_and_that_is_said(house: House) -> None:
    house.die()
    house.file.write_text(house.file.read_text().replace(house.url, "http://127.0.0.1:1"))
    assert "could not be asked" in house.words().absent(1, who="ann", why="not in the calendar").note


def restored(house: House) -> None:
    house.ledger.restores.say(utc_now() - timedelta(minutes=2), "ann", "the disk was lost")
    event = asked()
    (refused,) = house.ledger.claim([event], "w-1", 60)
    assert isinstance(refused, Refused)
    house.ledger.letters.archive([letter(event, Reason.IN_DOUBT)])


def release(house: House, *more: str) -> Result:
    return CliRunner().invoke(
        cli, ["--config", str(house.file), "ledger", "release", "--yes", "--why", "seen to", *more]
    )


def test_after_a_restore_every_slot_of_the_event_is_asked_about(house: House) -> None:
    restored(house)
    first, second = (booked_there(house.url, start) for start in STARTS)
    with pytest.raises(Contradicted, match="not offered any more"):
        house.words().absent(1, who="ann", why="not in the calendar")
    with pytest.raises(Contradicted, match="what else it wants is not offered any more"):
        house.words().there(1, [first], who="ann", why="seen", rest_absent=True)
    assert house.words().there(1, [first, second], who="ann", why="seen").letters == (1,)


def test_a_release_leaves_with_a_person_what_its_vendor_cannot_be_asked_about(house: House) -> None:
    restored(house)
    house.file.write_text(house.file.read_text().replace(house.url, "http://127.0.0.1:1"))
    done = release(house)
    assert "dead letter 1 stays: not checked, as SimplyBook.me could not be asked" in done.output
    assert house.state is LetterState.OPEN


@pytest.mark.parametrize("force", [False, True])
def test_a_release_leaves_what_may_be_booked_with_a_person_unless_it_is_forced(house: House, *, force: bool) -> None:
    restored(house)
    booked_there(house.url, STARTS[1])
    done = release(house, *(["--force"] if force else []))
    assert done.exit_code == 0, done.output
    assert ("dead letter 1 stays: its slot is not offered any more" in done.output) is not force
    assert house.state is (LetterState.REPLAYING if force else LetterState.OPEN)
    view = house.ledger.event("crm", "e-1")
    assert view is not None
    assert view.state is State.DEAD
    assert house.ledger.restores.open() == []


def test_a_release_waits_for_what_is_being_replayed(house: House) -> None:
    house.die()
    house.ledger.restores.say(utc_now(), "ann", "the disk was lost")
    house.ledger.letters.begin_replay([1], "ann", "it is well again")
    done = release(house)
    assert done.exit_code == 1
    assert "1 dead letter being replayed" in done.output
    assert house.ledger.restores.open() != []
