"""What people do at the console, on a real ledger and a real (embedded) broker."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest

from bellhop.broker.topology import work_queue
from bellhop.console.access.passwords import hash_password
from bellhop.console.access.sessions import OneTimeLink
from bellhop.console.api.app import create_api_app, mount
from bellhop.ledger.records import Claimed, ItemState, JobState, LetterState, Role, Verdict
from bellhop.letters.bulk import JobRunner
from bellhop.schemas.clock import Clock
from bellhop.schemas.envelope import decode
from bellhop.schemas.errors import BrokerUnavailable, LedgerUnavailable
from bellhop.schemas.reasons import Reason
from bellhop.schemas.redact import MASK
from bellhop.vendors.registry import ROUTES
from tests.support.console import ALL, Console, Page
from tests.support.ledger import NOON, claim, conflict, event, finish, letter
from tests.support.service import wait_for

PASSWORD = "correct horse battery"
SCREENS = (
    *("/", "/live", "/letters", "/letters?state=all&order=newest&q=ada", "/causes", "/letters/1", "/jobs", "/edits"),
    *("/event?source=crm&id=e-1", "/search", "/search?q=R-1", "/routes", "/floods", "/sources", "/audit"),
)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path)
    yield made
    made.close()


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Console]:
    """With a second approver, and a Sentry."""
    made = Console(tmp_path, 'second_approver = true\nsentry_url = "https://sentry.test/?q={id}"')
    yield made
    made.close()


def _draft(page: str) -> str:
    found = re.search(r'action="(/drafts/[\w-]+)"', page)
    assert found, page[-2000:]
    return found[1]


# --- who is let in ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SCREENS)
def test_nobody_sees_a_screen_without_signing_in(console: Console, path: str) -> None:
    console.dead(1)
    answer = console.nobody().client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in")
    part = console.nobody().client.get(path, headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (401, "/sign-in")


# Those that let somebody in, and those of who has a source's link (`test_source_page`).
_NOT_OF_PEOPLE = (
    *("entry.sign_in_now", "source_page.enter_now", "source_page.leave", "source_page.ask", "source_page.rotate"),
)


def _acts(console: Console) -> list[str]:
    rules = [rule for rule in console.app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    return [re.sub(r"<[^>]+>", "1", rule.rule) for rule in rules if rule.endpoint not in _NOT_OF_PEOPLE]


def test_nobody_acts_without_signing_in_without_the_forms_token_or_from_another_site(console: Console) -> None:
    paths = _acts(console)
    assert len(paths) >= 10
    for path in paths:
        assert console.nobody().client.post(path).status_code == 302, path
        assert console.ann.client.post(path).status_code == 403, path
        assert console.ann.client.post(path, data={"csrf": console.bob.csrf}).status_code == 403, path
        for header in ({"Origin": "https://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            assert console.ann.send(path, **header).status_code == 403, (path, header)


def test_a_viewer_sees_everything_and_does_nothing(console: Console) -> None:
    console.dead(1)
    for path in SCREENS:
        page = console.viewer.get(path)
        assert "Replay \N{HORIZONTAL ELLIPSIS}" not in page
        assert "Reveal" not in page
    for path in _acts(console):
        if path not in ("/sign-out", "/letters", "/causes", "/search"):  # to search is to read
            assert console.viewer.send(path).status_code == 403, path
    assert console.acts() == []


def test_a_user_signs_in_by_password_and_out_again(console: Console) -> None:
    console.ledger.people.add_user("cat", Role.OPERATOR, hash_password(PASSWORD), "root")
    somebody = console.nobody()
    wrong = somebody.client.post("/sign-in", data={"name": "cat", "password": "wrong"})
    assert wrong.status_code == 401
    assert "wrong" not in wrong.text
    form = {"name": "cat", "password": PASSWORD, "next": "/letters?q=x"}
    right = somebody.client.post("/sign-in", data=form)
    assert right.headers["Location"] == "/letters?q=x"
    cookie = right.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "cat" in somebody.get("/")
    somebody.send("/sign-out")
    assert somebody.client.get("/").status_code == 302


def test_a_user_who_is_shut_out_is_out_at_once(console: Console) -> None:
    console.ledger.people.add_user("ann", Role.OPERATOR, hash_password(PASSWORD), "root")
    console.ann.get("/")
    console.ledger.people.change_user("ann", "root", disabled=True)
    assert console.ann.client.get("/").status_code == 302


def test_guessing_is_slowed_down(console: Console) -> None:
    console.ledger.people.add_user("cat", Role.OPERATOR, hash_password(PASSWORD), "root")
    somebody = console.nobody().client
    statuses = [somebody.post("/sign-in", data={"name": "cat", "password": "no"}).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert somebody.post("/sign-in", data={"name": "cat", "password": PASSWORD}).status_code == 429
    console.clock.advance(minutes=16)
    assert somebody.post("/sign-in", data={"name": "cat", "password": PASSWORD}).status_code == 302


def test_a_session_ends_by_itself(console: Console) -> None:
    console.ann.get("/")
    console.clock.advance(hours=2)
    assert console.ann.client.get("/").status_code == 302


def test_the_one_time_link_signs_in_once(tmp_path: Path) -> None:
    link = OneTimeLink()
    console = Console(tmp_path, link=link)
    assert console.nobody().client.get("/enter/wrong").status_code == 403
    guest = console.nobody()
    assert guest.client.get(f"/enter/{link.secret}").status_code == 302
    assert "local admin" in guest.get("/")
    assert console.nobody().client.get(f"/enter/{link.secret}").status_code == 403
    assert link.secret not in str(console.told)
    console.close()


def test_behind_tls_the_cookie_is_for_tls_alone(tmp_path: Path) -> None:
    console = Console(tmp_path, 'public_url = "https://bellhop.example.test"')
    console.ledger.people.add_user("cat", Role.OPERATOR, hash_password(PASSWORD), "root")
    headers = {"Origin": "https://bellhop.example.test", "X-Forwarded-For": "203.0.113.9"}
    form = {"name": "cat", "password": PASSWORD}
    answer = console.nobody().client.post("/sign-in", data=form, headers=headers)
    assert answer.headers["Set-Cookie"].startswith("__Host-bellhop=")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    console.close()


# --- every page ---------------------------------------------------------------------------------------------------


def test_every_page_is_kept_by_nobody_and_runs_no_script_but_ours(console: Console) -> None:
    console.dead(2)
    for path in (*SCREENS, "/sign-in", "/nothing"):
        answer = console.ann.client.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        content = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in content
        assert "unsafe" not in content
        page = Page(answer.text)
        assert all(script["src"].startswith("/static/") for script in page.of("script"))
        assert not [attributes for _, attributes in page.tags if any(name.startswith("on") for name in attributes)]
        assert not [attributes for _, attributes in page.tags if "style" in attributes]


def test_every_page_can_be_read_by_who_does_not_see_it(console: Console) -> None:
    console.dead(2)
    for path in (*[screen for screen in SCREENS if screen != "/live"], "/sign-in", "/nothing"):
        page = Page(console.ann.client.get(path).text)
        assert page.of("html")[0]["lang"] == "en"
        assert len(page.of("h1")) == 1, path
        assert len(page.of("main")) == 1, path
        labelled = {label.get("for") for label in page.of("label")}
        fields = [field for field in page.of("input", "select", "textarea") if field.get("type") != "hidden"]
        unnamed = [
            field
            for field in fields
            if field.get("id") not in labelled
            and "aria-label" not in field
            and field.get("name") != "all"  # the words stand inside its label
            and "data-page" not in field
        ]
        assert unnamed == [], path
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids)), path


def test_nothing_that_others_wrote_becomes_markup(console: Console) -> None:
    evil = '<img src=x onerror="alert(1)">'
    gone = event("e-<b>", subject=evil, data={"venue": "salon", "notes": evil})
    from dataclasses import replace

    console.ledger.letters.archive([replace(letter(gone), error=evil)])
    console.ledger.letters.note(1, evil, evil)
    console.ledger.letters.assign([1], evil, evil)
    for path in ("/", "/letters", "/causes", "/letters/1", "/audit", "/search?q=onerror", "/event?source=crm&id=e-<b>"):
        page = console.ann.get(path)
        assert "<img src=x" not in page, path
        assert "&lt;img" in page, path


def test_what_is_empty_says_so(console: Console) -> None:
    for path, words in (
        ("/", "Nothing needs attention"),
        ("/", "First numbers in a few seconds"),
        ("/letters", "Nothing needs attention"),
        ("/letters?q=zzz", "No matches"),
        ("/causes", "No dead letters"),
        ("/jobs", "No bulk jobs yet"),
        ("/edits", "No edits to approve"),
        ("/search?q=zzz", "Nothing found"),
        ("/audit", "No action matches"),
    ):
        assert words in console.viewer.get(path), path


def test_what_is_away_or_not_there_has_a_page_that_says_so(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "There is no dead letter 99" in console.ann.get("/letters/99", 404)
    assert "None of this" not in console.ann.get("/jobs/99", 404)
    assert "cursor" in console.ann.get("/letters?after=nonsense", 400)

    def away(*args: object, **more: object) -> None:
        raise LedgerUnavailable("the database is locked")

    monkeypatch.setattr(console.ledger.letters, "page", away)
    page = console.ann.get("/letters", 503)
    assert "The ledger cannot be reached" in page
    assert "Try again" in page

    def odd(*args: object, **more: object) -> None:
        raise ZeroDivisionError("ada@example.com")

    monkeypatch.setattr(console.ledger.letters, "page", odd)
    assert "ada@example.com" not in console.ann.get("/letters", 500)
    ((name, said),) = console.told
    assert (name, said["error"]) == ("console.crashed", "ZeroDivisionError")
    assert "ada@" not in str(said)


# --- dead letters -------------------------------------------------------------------------------------------------


def test_what_starts_soonest_stands_first(console: Console) -> None:
    console.dead(1, not_after=NOON + timedelta(hours=5))
    console.dead(1, not_after=NOON + timedelta(minutes=20))
    console.dead(1, not_after=NOON - timedelta(hours=1))
    page = console.viewer.get("/")
    assert page.index("R-2<") < page.index("R-1<") < page.index("R-3<")
    assert "in 20 min" in page


def test_letters_are_found_by_what_people_know_of_them(console: Console) -> None:
    console.dead(3)
    console.dead(1, Reason.TOO_LATE)
    for query, shown in (
        ("q=R-2", {"R-2"}),
        ("q=ada@example.com", {"R-1", "R-2", "R-3", "R-4"}),
        ("reason=too_late", {"R-4"}),
        ("route=members", set()),
        ("account=sb&source=crm&age=1h", {"R-1", "R-2", "R-3", "R-4"}),
        ("age=older-1d", set()),
    ):
        page = console.viewer.get(f"/letters?{query}", **{"HX-Target": "results"})
        assert "<html" not in page
        assert set(re.findall(r">(R-\d)<", page)) == shown, query


@pytest.mark.parametrize("path", ["/letters", "/causes", "/search"])
def test_what_is_searched_for_stands_in_no_address(console: Console, path: str) -> None:
    console.dead(2)
    answer = console.viewer.send(path, {"q": "ada@example.com", "reason": "rejected"})
    assert answer.status_code == 303
    there = answer.headers["Location"]
    assert "ada" not in there
    page = console.viewer.get(there)
    assert "ada@example.com" in page  # in the field, and its letters below
    assert not re.findall(r'(?:href|action|hx-get)="[^"]*ada', page)
    assert "R-1<" in page or "2</strong>" in page
    if path != "/search":
        part = console.viewer.send(path, {"q": "ada@example.com"}, **{"HX-Target": "results"})
        assert "<html" not in part.text
        assert "ada" not in part.headers["HX-Push-Url"]
    console.parts.asked.__init__()  # type: ignore[misc]  # as after a restart
    assert "Search again: nothing was changed" in console.viewer.get(there, 410)


def test_a_search_that_is_forgotten_chooses_nothing_to_act_on(console: Console) -> None:
    console.dead(2)
    form = {"act": "discard", "all": "1", "filter": "k=unknown"}
    assert console.ann.send("/drafts", form).status_code == 410


def test_what_a_cause_leads_to_is_as_narrow_as_the_causes_were(console: Console) -> None:
    console.dead(2)
    page = console.viewer.get("/causes?q=R-2&account=sb")
    (there,) = re.findall(r'href="(/letters\?[^"]*cause=[^"]+)"', page)
    assert set(re.findall(r">(R-\d)<", console.viewer.get(unescape(there)))) == {"R-2"}


def test_a_list_that_is_empty_for_its_state_does_not_say_that_all_is_well(console: Console) -> None:
    console.dead(1)
    page = console.viewer.get("/letters?state=discarded")
    assert "No matches" in page
    assert "Nothing needs attention" not in page


def test_all_that_match_never_promises_more_than_one_act_takes(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellhop.console.views.letters.MOST", 2)
    console.dead(3)
    assert re.search(r'data-count="2"> The first 2 of 3 matching', console.ann.get("/letters"))


def test_a_cause_leads_to_its_letters(console: Console) -> None:
    console.dead(2)
    console.dead(1, Reason.TOO_LATE)
    page = console.viewer.get("/causes")
    (first, *_) = re.findall(r'href="(/letters\?cause=[^"]+)"', page)
    assert set(re.findall(r">(R-\d)<", console.viewer.get(first.replace("&amp;", "&")))) == {"R-1", "R-2"}


def test_a_guest_is_masked_until_an_operator_looks_which_is_audited(console: Console) -> None:
    console.dead(1)
    page = console.ann.get("/letters/1")
    assert "Ada Lee" not in page
    assert MASK in page
    assert console.acts() == []
    assert "Ada Lee" in console.ann.post("/letters/1/reveal")
    assert console.acts() == [("ann", "reveal", 1, "")]


def test_a_conflict_shows_both_contents_side_by_side_and_a_replay_of_it_wins(console: Console) -> None:
    conflict(console.ledger)
    page = " ".join(re.sub(r"<[^>]+>", " ", console.ann.get("/letters/1")).split())
    assert f"What stands, and what this asks field stands this letter client.name {MASK} {MASK}" in page
    assert "services.0.start 2026-12-24T10:00:00+00:00 2026-12-24T11:00:00+00:00" in page
    assert "client.name Ada Lee Ada Low" in " ".join(
        re.sub(r"<[^>]+>", " ", console.ann.post("/letters/1/reveal")).split()
    )
    (found,) = console.ledger.letters.find(ALL, 1)
    assert isinstance(claim(console.ledger, decode(found.new.body).next_generation()), Claimed)


def test_letters_are_noted_and_handed_over(console: Console) -> None:
    console.dead(1)
    assert "called the guest" in console.ann.post("/letters/1/notes", {"text": "called the guest"})
    assert "bob" in console.ann.post("/letters/1/assign", {"to": "bob"})
    assert "A note must have" in console.ann.post("/letters/1/notes", {"text": " "})
    kept = console.ledger.letters.get(1)
    assert kept is not None
    assert kept.assignee == "bob"


# --- bulk acts ----------------------------------------------------------------------------------------------------


def test_a_replay_is_judged_approved_with_a_reason_and_frozen(console: Console) -> None:
    console.dead(3)
    page = console.ann.post("/drafts", {"act": "replay", "all": "1", "filter": "reason=rejected"})
    assert "will be retried" in page
    console.dead(2)  # they arrive later: none of the frozen set
    path = _draft(page)
    assert "A reason is required" in console.ann.post(path, {"why": " ", "verdict": "would_apply"})
    assert console.ledger.jobs.get(1) is None
    console.ann.post(path, {"why": "the salon is back", "verdict": "would_apply", "rate": "5"})
    job = console.ledger.jobs.get(1)
    assert job is not None
    assert (job.kind, job.who, job.why, job.rate, job.total) == ("replay", "ann", "the salon is back", 5.0, 3)
    assert [item.letter for item in console.ledger.jobs.items(1, 10).rows] == [1, 2, 3]
    console.ann.post(path, {"why": "twice", "verdict": "would_apply"})
    assert console.ledger.jobs.get(2) is None


def test_a_replay_takes_only_what_was_ticked_and_never_what_is_of_no_use(console: Console) -> None:
    console.dead(1)
    console.dead(1, Reason.IN_DOUBT)
    console.dead(1)
    console.ledger.letters.discard([3], "x", "y")
    page = console.ann.post("/drafts", {"act": "replay", "ids": ["1", "2", "3", "77", "x"]})
    assert 'value="in_doubt">' in page  # offered, not ticked
    path = _draft(page)
    assert "No letter is left" in console.ann.post(path, {"why": "w"})
    console.ann.post(path, {"why": "w", "verdict": ["in_doubt", "closed", "slot_passed"]})
    assert [item.letter for item in console.ledger.jobs.items(1, 10).rows] == [2]


def test_somebody_elses_draft_is_not_theirs_to_approve(console: Console) -> None:
    console.dead(1)
    path = _draft(console.ann.post("/drafts", {"act": "replay", "ids": "1"}))
    console.bob.get(path, 404)
    assert console.bob.send(path, {"why": "w", "verdict": "would_apply"}).status_code == 404


def test_what_was_judged_long_ago_is_not_approved_today(console: Console) -> None:
    console.dead(1)
    path = _draft(console.ann.post("/drafts", {"act": "assign", "ids": "1"}))
    console.clock.advance(minutes=59)
    console.ann.get(path)
    console.clock.advance(minutes=2)
    assert console.parts.drafts.get(path.rpartition("/")[2], "ann") is None


@pytest.mark.parametrize("rate", ["-1", "0", "nan", "inf", "many", "1e9"])
def test_a_rate_that_is_none_is_refused(console: Console, rate: str) -> None:
    console.dead(1)
    path = _draft(console.ann.post("/drafts", {"act": "replay", "ids": "1"}))
    assert "The rate limit must" in console.ann.post(path, {"why": "w", "verdict": "would_apply", "rate": rate})


def test_a_job_is_watched_paused_resumed_and_cancelled(console: Console) -> None:
    console.dead(8, not_after=datetime(2026, 12, 24, 10, tzinfo=UTC))
    path = _draft(console.ann.post("/drafts", {"act": "replay", "all": "1", "filter": ""}))
    console.ann.post(path, {"why": "w", "verdict": "would_apply"})
    runner = JobRunner(
        console.ledger, console.broker.publisher(), console.settings, by="here", clock=Clock(now=console.clock)
    )
    runner.step()
    page = console.viewer.get("/jobs/1")
    assert 'hx-trigger="every 2s"' in page
    assert "sent" in page
    page = console.ann.get("/jobs/1")
    assert page.index(">Pause<") < page.index('id="job"')  # at its head, before all letters
    shown = console.viewer.get("/jobs/1?state=sent")
    assert all(words in shown for words in ("R-1", "A***", " UTC"))
    assert "Ada" not in shown
    assert "A reason is required" in console.ann.post("/jobs/1/cancel")
    assert "Paused" in console.ann.post("/jobs/1/pause")  # nobody in a hurry is asked why
    part = console.viewer.client.get("/jobs/1", headers={"HX-Target": "job"})
    assert part.headers["HX-Refresh"] == "true"
    console.ann.post("/jobs/1/resume", {"why": "go on"})
    console.ann.post("/jobs/1/cancel", {"why": "enough"})
    assert "cannot be" in console.ann.post("/jobs/1/pause", {"why": "again", "back": "/jobs/1"})
    job = console.ledger.jobs.get(1)
    assert job is not None
    assert (job.state, job.counts[ItemState.SENT], job.counts[ItemState.SKIPPED]) == (JobState.CANCELLED, 1, 7)
    assert [act for _, act, _, _ in console.acts()][-3:] == ["pause job", "resume job", "cancel job"]


def test_a_job_that_stopped_by_itself_needs_a_person(console: Console) -> None:
    console.dead(1)
    path = _draft(console.ann.post("/drafts", {"act": "replay", "ids": "1"}))
    console.ann.post(path, {"why": "w", "verdict": "would_apply"})
    console.ledger.jobs.finish(1, JobState.STOPPED, "letter 1 died again of the same cause")
    for _ in range(60):  # newer ones do not hide it
        console.ledger.jobs.create("replay", [(1, Verdict.WOULD_APPLY)], "ann", "w", None)
    assert "Bulk job 1 stopped by itself" in console.viewer.get("/")


def test_letters_are_discarded_as_a_job_and_restored_behind_the_browsers_back(console: Console) -> None:
    console.dead(3)
    path = _draft(console.ann.post("/drafts", {"act": "discard", "ids": ["1", "2"]}))
    console.ann.post(path, {"why": "doubles"})
    runner = JobRunner(
        console.ledger, console.broker.publisher(), console.settings, by="here", clock=Clock(now=console.clock)
    )
    runner.step()
    assert console.ledger.letters.count(ALL) == 3
    assert "R-1<" in console.viewer.get("/letters?state=discarded")
    path = _draft(console.ann.post("/drafts", {"act": "restore", "all": "1", "filter": "state=discarded"}))
    console.ann.post(path, {"why": "no doubles after all"})
    console.settle(path.rpartition("/")[2], "ann")
    assert "2 restored" in console.ann.get(path)
    assert [one.state for one in console.ledger.letters.find(ALL, 10)] == [LetterState.OPEN] * 3


def test_a_thousand_letters_are_judged_and_handed_over_in_the_background(console: Console) -> None:
    from dataclasses import replace

    made = [replace(letter(event(f"e-{n}", subject=f"R-{n}")), message_id=f"m-{n}") for n in range(1000)]
    console.ledger.letters.archive(made)
    answer = console.ann.send("/drafts", {"act": "assign", "all": "1", "filter": "", "to": "bob"})
    path = answer.headers["Location"].partition("?")[0]
    key = path.rpartition("/")[2]
    console.settle(key, "ann")
    console.ann.post(path, {"to": "bob"})
    console.settle(key, "ann")
    assert "1000 assigned to bob" in console.ann.get(path)
    assert console.ledger.letters.ids(ALL) == [
        one.id for one in console.ledger.letters.find(ALL, 2000) if one.assignee == "bob"
    ]


# --- edits --------------------------------------------------------------------------------------------------------


def _form(page: str) -> dict[str, str]:
    """An edit's form as it came."""
    page_ = Page(page)
    fields = {one["name"]: one.get("value", "") for one in page_.of("input") if one.get("name", "").startswith("data.")}
    return fields | {one["name"]: "" for one in page_.of("textarea") if one.get("name", "").startswith("data.")}


def test_an_edit_is_checked_shown_as_a_diff_and_replayed(console: Console) -> None:
    console.dead(1)
    form = _form(console.ann.post("/letters/1/edit", {"step": "open"}))
    assert form["data.client.email"] == "ada@example.com"
    wrong = console.ann.send("/letters/1/edit", {**form, "data.client.email": "no address", "step": "check"})
    assert wrong.status_code == 422
    assert "aria-invalid" in wrong.text
    same = console.ann.send("/letters/1/edit", {**form, "step": "check"})
    assert "must change something" in same.text
    form["data.client.email"] = "new@example.com"
    diff = console.ann.post("/letters/1/edit", {**form, "step": "check"})
    assert "<del>ada@example.com</del>" in diff
    assert "<ins>new@example.com</ins>" in diff
    assert console.ledger.edits.of(1) == []
    page = console.ann.post("/letters/1/edit", {**form, "step": "propose", "why": "the guest wrote it wrong"})
    assert "Replayed with the edit" in page
    (delivery,) = console.broker.consumer(work_queue("bookings.simplybook"), 1).take(1, 5)
    sent = decode(delivery.message.body)
    assert (sent.data["client"]["email"], sent.id, sent.generation) == ("new@example.com", "e-1", 1)
    kept = console.ledger.letters.get(1)
    assert kept is not None
    assert kept.state is LetterState.REPLAYED
    assert ("ann", "reveal", 1, "") in console.acts()


def test_what_an_edit_shows_is_audited_however_it_is_come_by(console: Console) -> None:
    console.dead(1)
    form = _form(console.bob.post("/letters/1/edit", {"step": "open"})) | {"data.client.email": "new@example.com"}
    for _ in range(2):  # the second is the same look
        diff = console.ann.post("/letters/1/edit", {**form, "step": "check"})
        assert "<del>ada@example.com</del>" in diff
        assert console.acts() == [("bob", "reveal", 1, ""), ("ann", "reveal", 1, "")]


def test_an_edit_changes_nothing_but_what_may_be_edited(console: Console) -> None:
    console.dead(1)
    form = _form(console.ann.post("/letters/1/edit", {"step": "open"}))
    assert not {name for name in form if "booking_id" in name or "venue" in name}
    forged = {**form, "data.notes": "x", "data.booking_id": "R-9", "data.venue": "other", "step": "propose", "why": "w"}
    console.ann.post("/letters/1/edit", forged)
    (edit,) = console.ledger.edits.of(1)
    made = decode(edit.body)
    assert (made.subject, made.data["booking_id"], made.data["venue"]) == ("R-1", "R-1", "salon")


def test_a_second_person_approves_an_edit_and_never_the_first(strict: Console) -> None:
    strict.dead(1)
    form = _form(strict.ann.post("/letters/1/edit", {"step": "open"}))
    form |= {"data.client.email": "new@example.com", "step": "propose", "why": "the guest wrote it wrong"}
    assert "once another person approves it" in strict.ann.post("/letters/1/edit", form)
    assert "Edit awaiting approval: letter" in strict.viewer.get("/")
    waiting = strict.bob.get("/edits")
    assert "client.email" in waiting
    assert "new@example.com" not in waiting
    assert "another person must approve it" in strict.ann.post("/edits/1/approve")
    kept = strict.ledger.letters.get(1)
    assert kept is not None
    assert kept.state is LetterState.OPEN
    assert "Replayed with the edit" in strict.bob.post("/edits/1/approve")
    assert "already" in strict.bob.post("/edits/1/refuse", {"why": "late", "back": "/letters/1"})


def test_an_edit_is_refused_with_a_reason(strict: Console) -> None:
    strict.dead(1)
    form = _form(strict.ann.post("/letters/1/edit", {"step": "open"}))
    strict.ann.post("/letters/1/edit", {**form, "data.notes": "x", "step": "propose", "why": "w"})
    assert "A reason is required" in strict.bob.post("/edits/1/refuse")
    assert "Refused" in strict.bob.post("/edits/1/refuse", {"why": "ask the guest first"})
    assert strict.ledger.edits.waiting() == []


# --- events, search, routes, audit --------------------------------------------------------------------------------


def test_an_events_way_has_its_calls_its_death_and_what_people_did(strict: Console) -> None:
    strict.dead(1)
    strict.ledger.letters.note(1, "bob", "asked the vendor")
    finish(strict.ledger, event("e-9", subject="R-1", at=5))
    page = strict.viewer.get("/event?source=crm&id=e-1")
    for words in ("Received", "Published", "Died: rejected", "note by bob", "e-9", "https://sentry.test/?q=e-1"):
        assert words in page, words
    assert "Ada Lee" not in page
    assert "Ada Lee" in strict.ann.post("/event/reveal", {"source": "crm", "id": "e-1"})
    assert strict.acts()[-1][:2] == ("ann", "reveal")
    strict.viewer.get("/event?source=crm&id=unknown", 404)


def test_a_search_finds_letters_and_events_by_what_people_know(console: Console) -> None:
    console.dead(2)
    for words in ("R-2", "e-2"):
        page = console.viewer.get(f"/search?q={words}")
        assert "/letters/2" in page
        assert "id=e-2" in page
        assert "/letters/1" not in page
    assert "/letters/1" in console.viewer.get("/search?q=ADA@example.com")


def test_a_route_is_held_for_a_while_and_let_go(console: Console) -> None:
    assert "A reason is required" in console.ann.post("/routes", {"route": "members", "step": "pause"})
    said = {"route": "members", "step": "pause", "why": "the vendor asked", "for": "1h"}
    assert "is paused" in console.ann.post("/routes", said)
    (pause,) = console.ledger.pauses.all()
    assert (pause.who, pause.until) == ("ann", NOON + timedelta(hours=1))
    assert "the vendor asked" in console.viewer.get("/routes")
    assert "is resumed" in console.ann.post("/routes", {"route": "members", "step": "resume", "why": "over"})
    assert "was not paused" in console.ann.post("/routes", {"route": "members", "step": "resume", "why": "over"})
    assert "Retrying 0 on members now" in console.ann.post(
        "/routes", {"route": "members", "step": "retry-now", "why": "it is back"}
    )
    assert console.ann.send("/routes", {"route": "nowhere", "step": "pause", "why": "w"}).status_code == 400
    assert [act for _, act, _, _ in console.acts()] == ["pause", "resume", "retry now"]


def test_routes_are_held_while_the_broker_is_away(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise BrokerUnavailable("connection refused")

    monkeypatch.setattr(console.broker, "stats", away)
    page = console.ann.get("/routes")
    assert "The broker cannot be reached: connection refused" in page
    assert "is paused" in console.ann.post("/routes", {"route": "members", "step": "pause", "why": "it is away"})


def test_an_export_from_a_ledger_that_is_away_says_so(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise LedgerUnavailable("the database is locked")

    monkeypatch.setattr(console.ledger.letters, "audit_page", away)
    assert "The ledger cannot be reached" in console.viewer.get("/audit.csv", 503)


def test_an_act_that_cannot_be_done_leaves_the_person_where_they_were(console: Console) -> None:
    console.dead(1)
    path = _draft(console.ann.post("/drafts", {"act": "replay", "ids": "1"}))
    console.ann.post(path, {"why": "w", "verdict": "would_apply"})
    console.ann.post("/jobs/1/cancel", {"why": "enough"})
    answer = console.ann.send("/jobs/1/pause", {"why": "again"}, Referer="http://localhost/jobs/1?state=skipped")
    assert answer.headers["Location"] == "/jobs/1?state=skipped"
    elsewhere = console.ann.send("/jobs/1/pause", {"why": "again"}, Referer="https://evil.test/jobs/1")
    assert elsewhere.headers["Location"] == "/"


def test_the_audit_is_filtered_and_taken_away(console: Console) -> None:
    console.dead(2)
    console.ledger.letters.discard([1], "ann", '=HYPERLINK("x")')
    console.ledger.letters.discard([2], "bob", "a, b\nc")
    page = console.viewer.get("/audit?who=bob")
    assert "letter 2" in page
    assert "letter 1" not in page
    rows = list(csv.reader(io.StringIO(console.viewer.get("/audit.csv"))))
    told = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert {"at", "what", "hash"} < set(rows[0])
    assert [(row["who"], row["act"], row["letter"], row["why"]) for row in told] == [
        ("bob", "discard", "2", "a, b\nc"),
        ("ann", "discard", "1", '\'=HYPERLINK("x")'),
    ]
    lines = [json.loads(line) for line in console.viewer.get("/audit.jsonl?letter=1").splitlines()]
    assert [(line["who"], line["letter"], line["why"]) for line in lines] == [("ann", 1, '=HYPERLINK("x")')]


def test_the_charts_and_accounts_stand_on_the_overview(console: Console) -> None:
    console.parts.pulse.beat()
    console.clock.advance(seconds=5)
    finish(console.ledger, event())
    console.parts.pulse.beat()
    page = console.viewer.get("/live")
    assert "<html" not in page
    assert page.count("<svg") == 6 * len(ROUTES)
    assert "of 5,000" in page
    assert "sandbox-api-key" not in page


def test_a_login_tokens_age_is_told_from_when_it_was_got(console: Console) -> None:
    assert "none yet" in console.viewer.get("/live")
    console.ledger.replace_token("sb", None, lambda: "t-1")
    console.clock.advance(minutes=40)
    page = console.viewer.get("/live")
    assert re.search(r"issued <time [^>]+>40 min ago", page)
    assert "t-1" not in page


def test_the_api_answers_beside_the_console(console: Console) -> None:
    mount(console.app, create_api_app(console.settings, console.ledger, console.broker, now=console.clock))
    answer = console.ann.client.get("/api/v1/letters")
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    console.ann.get("/letters")


def test_a_search_acts_on_the_open_letters_that_match_and_on_no_others(console: Console) -> None:
    console.dead(3)
    console.ledger.letters.discard([2], "ann", "done")
    page = console.ann.get("/search?q=Ada")
    assert "Replay all 2 \N{HORIZONTAL ELLIPSIS}" in page
    query = re.findall(r'name="filter" value="([^"]+)"', page)[0]
    path = _draft(console.ann.post("/drafts", {"act": "assign", "all": "1", "filter": query}))
    console.ann.post(path, {"to": "bob"})
    wait_for(lambda: [one.assignee for one in console.ledger.letters.find(ALL, 9)] == ["bob", "", "bob"], "assigned")
    assert "Replay all" not in console.viewer.get("/search?q=Ada")


def test_a_draft_of_what_no_replay_helps_leads_to_the_right_act(console: Console) -> None:
    console.dead(2, Reason.UNSUPPORTED)
    page = console.ann.post("/drafts", {"act": "replay", "all": "1", "filter": ""})
    assert 'value="discard" class="first">Done by hand' in page
    assert '<button class="">Replay</button>' in page
    assert "there is still no such call" in page
    path = _draft(page)
    other = console.ann.post("/drafts", {"act": "discard", "draft": path.rpartition("/")[2]})
    assert '<button class="first">Done by hand</button>' in other
    assert "What was done" in other


def test_a_cause_is_taken_in_hand_on_the_page_that_lists_it(console: Console) -> None:
    console.dead(2)
    (cause,) = console.ledger.causes.find(ALL)
    form = {"cause": cause.cause, "back": "/causes"}
    assert "acknowledged" in console.ann.post("/causes/life", {**form, "said": "acknowledged"})
    snoozed = console.ann.post("/causes/life", {**form, "said": "snoozed", "hours": "4"})
    assert 'until <time datetime="2026-11-21T16:00:00Z"' in snoozed
    assert console.ann.send("/causes/life", {**form, "said": "snoozed", "hours": "0"}).status_code == 302
    (same,) = console.ledger.causes.find(ALL)
    assert same.life.state.value == "snoozed"
    assert "Snooze" not in console.viewer.get("/causes")


def test_what_is_known_of_the_vendors_code_is_told_with_a_cause_and_a_draft(console: Console) -> None:
    console.dead(1)
    (one,) = console.ledger.letters.find(ALL, 1)
    known = {"answer": {"code": -32065, "advice": "make the provider there"}}
    console.ledger.letters.archive([replace(one.new, message_id="other", evidence=known)])
    cause = quote(one.cause, safe="")
    assert "make the provider there" in console.ann.get(f"/letters?cause={cause}")
    assert "make the provider there" in console.ann.post("/drafts", {"act": "replay", "all": "1", "filter": ""})


def test_a_causes_acts_take_the_letters_that_its_row_counts(console: Console) -> None:
    console.dead(3)
    console.ledger.letters.assign([1, 3], "ann", "ann")
    page = console.ann.get("/causes?assignee=ann")
    assert "Replay 2 \N{HORIZONTAL ELLIPSIS}" in page
    query = unescape(re.findall(r'name="filter" value="([^"]+)"', page)[0])
    assert "Replay 2 dead letters" in console.ann.post("/drafts", {"act": "replay", "all": "1", "filter": query})
    console.ledger.letters.discard([1], "ann", "done")
    assert 'value="replay"' not in console.ann.get("/causes?state=discarded")
