"""Jobs, edits, pauses and who may what, over every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from bellhop.ledger.edits import EditRefused
from bellhop.ledger.jobs import JobRefused
from bellhop.ledger.known import Take
from bellhop.ledger.pauses import PauseRefused
from bellhop.ledger.people import PersonRefused
from bellhop.ledger.records import ClaimBusy, Claimed, EditState, ItemState, JobState, Role, Verdict
from bellhop.ledger.store import Ledger
from bellhop.letters.retry_now import RouteUnknown, retry_now
from bellhop.schemas.errors import BrokerUnavailable
from tests.support.ledger import LEASE, NOON, Clock, OpenLedger, event, letter

FOUR = [(7, Verdict.WOULD_APPLY), (3, Verdict.IN_DOUBT), (9, Verdict.WOULD_APPLY), (1, Verdict.CLOSED)]


def test_a_job_holds_exactly_the_letters_it_was_approved_for_in_their_order(ledger: Ledger) -> None:
    job = ledger.jobs.create("replay", FOUR, "ann", "the club mended it", 5.0)
    assert (job.state, job.total, job.wave, job.rate) == (JobState.RUNNING, 4, 1, 5.0)
    first = ledger.jobs.items(job.id, 3)
    assert [(item.letter, item.verdict) for item in first.rows] == FOUR[:3]
    assert [item.letter for item in ledger.jobs.items(job.id, 3, first.next).rows] == [1]
    assert ledger.letters.audit_page(1).rows[0].what == f"job {job.id}: replay 4 letters"


def test_one_process_works_a_job_at_a_time_and_another_takes_over_when_it_dies(
    open_ledger: OpenLedger, clock: Clock
) -> None:
    one, other = open_ledger().jobs, open_ledger().jobs
    job = one.create("discard", FOUR, "ann", "a test")
    assert one.lease("w-1", 60) is not None
    assert one.lease("w-1", 60) is not None
    assert other.lease("w-2", 60) is None
    clock.advance(seconds=61)
    taken = other.lease("w-2", 60)
    assert taken is not None
    assert taken.id == job.id


def test_a_job_is_paused_resumed_with_a_canary_and_cancelled(ledger: Ledger) -> None:
    job = ledger.jobs.create("replay", FOUR, "ann", "a test")
    ledger.jobs.grow(job.id, 25)
    assert ledger.jobs.pause(job.id, "ben", "wait").state is JobState.PAUSED
    assert ledger.jobs.lease("w-1", 60) is None
    with pytest.raises(JobRefused):
        ledger.jobs.pause(job.id, "ben", "again")
    assert ledger.jobs.resume(job.id, "ben", "go on").wave == 1
    ledger.jobs.lease("w-1", 60)
    assert ledger.jobs.take(job.id, "w-1", [0], 60) == [0]
    cancelled = ledger.jobs.cancel(job.id, "ben", "enough")
    assert cancelled.counts == {ItemState.SENT: 1, ItemState.SKIPPED: 3}
    with pytest.raises(JobRefused):
        ledger.jobs.resume(job.id, "ben", "no")
    with pytest.raises(JobRefused):
        ledger.jobs.cancel(99, "ben", "no")


def test_only_who_holds_a_running_job_may_take_its_items_and_each_once(open_ledger: OpenLedger, clock: Clock) -> None:
    one, other = open_ledger().jobs, open_ledger().jobs
    job = one.create("replay", FOUR, "ann", "a test")
    assert one.take(job.id, "w-1", [0], 60) == []
    one.lease("w-1", 60)
    assert other.take(job.id, "w-2", [0], 60) == []
    assert one.take(job.id, "w-1", [1, 0], 60) == [0, 1]
    assert one.take(job.id, "w-1", [1, 2], 60) == [2]
    other.pause(job.id, "ben", "wait")
    assert one.take(job.id, "w-1", [3], 60) == []
    other.resume(job.id, "ben", "go on")
    clock.advance(seconds=61)
    assert one.take(job.id, "w-1", [3], 60) == []
    other.lease("w-2", 60)
    assert one.take(job.id, "w-1", [3], 60) == []
    assert other.take(job.id, "w-2", [3], 60) == [3]


def test_what_has_ended_is_not_noted_anew(ledger: Ledger) -> None:
    job = ledger.jobs.create("replay", FOUR, "ann", "a test")
    ledger.jobs.mark(job.id, [(0, ItemState.DONE, "done"), (1, ItemState.FAILED, "died")])
    ledger.jobs.mark(job.id, [(0, ItemState.SENT, ""), (1, ItemState.WAITING, ""), (2, ItemState.SKIPPED, "closed")])
    ledger.jobs.mark(job.id, [])
    items = ledger.jobs.items(job.id, 9).rows
    assert [(item.state, item.detail) for item in items] == [
        (ItemState.DONE, "done"), (ItemState.FAILED, "died"), (ItemState.SKIPPED, "closed"), (ItemState.WAITING, ""),
    ]  # fmt: skip


def test_jobs_are_leased_in_turn_and_those_that_were_ended_until_all_ends_are_known(ledger: Ledger) -> None:
    first, second, third = (ledger.jobs.create("replay", FOUR, "ann", "a test").id for _ in range(3))

    def leased() -> list[int]:
        found: list[int] = []
        while (job := ledger.jobs.lease("w-1", 60, after=found[-1] if found else 0)) is not None:
            found.append(job.id)
        return found

    assert leased() == [first, second, third]
    ledger.jobs.take(first, "w-1", [0], 60)
    ledger.jobs.cancel(first, "ben", "enough")
    ledger.jobs.pause(second, "ben", "wait")
    assert leased() == [first, third]
    ledger.jobs.mark(first, [(0, ItemState.WAITING, "")])
    assert ledger.jobs.items(first, 1).rows[0].detail == "the job was cancelled"
    assert leased() == [third]


def test_the_end_of_a_job_does_not_overrule_a_person(ledger: Ledger) -> None:
    job = ledger.jobs.create("replay", FOUR, "ann", "a test")
    ledger.jobs.pause(job.id, "ben", "wait")
    ledger.jobs.finish(job.id, JobState.DONE, "4 done")
    found = ledger.jobs.get(job.id)
    assert found is not None
    assert found.state is JobState.PAUSED


def test_a_stopped_job_says_why_and_can_be_resumed(ledger: Ledger) -> None:
    job = ledger.jobs.create("replay", FOUR, "ann", "a test")
    ledger.jobs.finish(job.id, JobState.STOPPED, "letter 7 died again of the same cause")
    found = ledger.jobs.page(10).rows[0]
    assert (found.state, found.detail) == (JobState.STOPPED, "letter 7 died again of the same cause")
    assert ledger.jobs.resume(job.id, "ann", "mended now").detail == ""


def test_an_edit_that_needs_approval_is_approved_by_somebody_else(strict: Ledger) -> None:
    strict.letters.archive([letter(event())])
    edit = strict.edits.propose(1, "ann", "wrong provider", b"{}")
    assert edit.state is EditState.PROPOSED
    with pytest.raises(EditRefused, match="yours"):
        strict.edits.approve(edit.id, "ann")
    assert [one.id for one in strict.edits.waiting()] == [edit.id]
    approved = strict.edits.approve(edit.id, "ben")
    assert (approved.state, approved.approver, approved.body) == (EditState.APPROVED, "ben", b"{}")
    assert strict.edits.waiting() == []
    with pytest.raises(EditRefused, match="already"):
        strict.edits.refuse(edit.id, "cy", "late")


def test_an_edit_that_needs_none_is_approved_at_once(ledger: Ledger) -> None:
    ledger.letters.archive([letter(event())])
    assert ledger.edits.propose(1, "ann", "a slip", b"{}").state is EditState.APPROVED
    assert [row.act for row in ledger.letters.audit_page(9).rows] == ["edit"]


def test_nobody_approves_their_own_edit_nor_by_a_token_that_their_token_made(strict: Ledger) -> None:
    strict.letters.archive([letter(event())])
    first = strict.people.add_token("a", Role.OPERATOR, "1" * 64, "ann")
    strict.people.add_token("b", Role.OPERATOR, "2" * 64, f"token {first.id} a")
    bens = strict.people.add_token("c", Role.OPERATOR, "3" * 64, "ben")
    for proposer in ("ann", "token 1 a", "token 2 b"):
        edit = strict.edits.propose(1, proposer, "wrong provider", b"{}")
        for approver in ("ann", "token 1 a", "token 2 b"):
            with pytest.raises(EditRefused, match="yours"):
                strict.edits.approve(edit.id, approver)
    assert strict.edits.approve(edit.id, f"token {bens.id} c").state is EditState.APPROVED


def test_an_edit_is_given_to_be_replayed_only_once_it_is_approved(strict: Ledger) -> None:
    strict.letters.archive([letter(event())])
    edit = strict.edits.propose(1, "ann", "wrong provider", b"{}")
    with pytest.raises(EditRefused, match="is proposed"):
        strict.edits.to_replay(edit.id)
    strict.edits.approve(edit.id, "ben")
    assert strict.edits.to_replay(edit.id).body == b"{}"
    other = strict.edits.propose(1, "ann", "wrong provider", b"{}")
    strict.edits.refuse(other.id, "ben", "no")
    with pytest.raises(EditRefused, match="is refused"):
        strict.edits.to_replay(other.id)
    with pytest.raises(EditRefused, match="no edit 9"):
        strict.edits.to_replay(9)


def test_an_edit_that_was_proposed_before_there_was_the_rule_is_not_replayed_under_it(
    ledger: Ledger, strict: Ledger
) -> None:
    ledger.letters.archive([letter(event())])
    edit = ledger.edits.propose(1, "ann", "a slip", b"{}")
    assert ledger.edits.to_replay(edit.id).approver == "ann"
    with pytest.raises(EditRefused, match="another person must approve it"):
        strict.edits.to_replay(edit.id)


def test_a_ledger_that_is_not_told_the_rule_keeps_the_stricter_one(ledger_url: str, ledger: Ledger) -> None:
    ledger.letters.archive([letter(event())])
    other = Ledger.open(ledger_url, keep_seconds=1)
    state = other.edits.propose(1, "ann", "a slip", b"{}").state
    other.close()
    assert state is EditState.PROPOSED


def test_every_stopped_job_is_told_however_many_newer_ones_there_are(ledger: Ledger) -> None:
    first = ledger.jobs.create("replay", FOUR, "ann", "a test")
    ledger.jobs.finish(first.id, JobState.STOPPED, "letter 7 died again of the same cause")
    for _ in range(60):
        ledger.jobs.create("replay", FOUR, "ann", "a test")
    assert [(job.id, job.total) for job in ledger.jobs.find_stopped()] == [(first.id, 4)]


@pytest.mark.parametrize("closed", ["replayed", "discarded"])
def test_an_edit_of_a_letter_that_was_closed_meanwhile_is_neither_proposed_nor_approved(
    strict: Ledger, closed: str
) -> None:
    strict.letters.archive([letter(event())])
    edit = strict.edits.propose(1, "ann", "wrong provider", b"{}")
    if closed == "discarded":
        strict.letters.discard([1], "cy", "by hand")
    else:
        strict.letters.begin_replay([1], "cy", "by hand")
        strict.letters.close_replayed([1])
    acts = len(strict.letters.audit_page(99).rows)
    with pytest.raises(EditRefused, match=f"dead letter 1 is {closed}"):
        strict.edits.approve(edit.id, "ben")
    with pytest.raises(EditRefused, match=f"dead letter 1 is {closed}"):
        strict.edits.propose(1, "ann", "once more", b"{}")
    with pytest.raises(EditRefused, match="dead letter 9 is not there"):
        strict.edits.propose(9, "ann", "no such", b"{}")
    assert len(strict.letters.audit_page(99).rows) == acts
    assert strict.edits.refuse(edit.id, "ben", "too late").state is EditState.REFUSED


def test_of_two_approvals_at_once_one_holds(open_ledger: OpenLedger) -> None:
    first = open_ledger(second_approver=True)
    first.letters.archive([letter(event())])
    edit = first.edits.propose(1, "ann", "wrong provider", b"{}")
    at_once = Barrier(4)

    def approve(ledger: Ledger, who: str) -> bool:
        at_once.wait()
        try:
            ledger.edits.approve(edit.id, who)
        except EditRefused:
            return False
        return True

    ledgers = [open_ledger(second_approver=True) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(approve, ledgers, ["ben", "cy", "dee", "eve"])) == 1
    assert [row.act for row in first.letters.audit_page(9).rows] == ["approve edit", "edit"]


def test_a_route_is_held_until_it_is_resumed_or_its_time_is_over(ledger: Ledger, clock: Clock) -> None:
    ledger.pauses.pause("members", "ann", "the vendor asked")
    ledger.pauses.pause("pulls", "ann", "for an hour", NOON + timedelta(hours=1))
    assert [pause.route for pause in ledger.pauses.all()] == ["members", "pulls"]
    clock.advance(hours=1)
    assert [pause.route for pause in ledger.pauses.all()] == ["members"]
    assert ledger.pauses.resume("members", "ben", "it is back")
    assert not ledger.pauses.resume("members", "ben", "twice")
    assert ledger.pauses.all() == []
    assert [(row.act, row.what) for row in ledger.letters.audit_page(9).rows] == [
        ("resume", "route members"), ("pause", "route pulls"), ("pause", "route members"),
    ]  # fmt: skip


def test_a_pause_whose_time_is_over_is_no_longer_there_to_resume_and_none_is_made(ledger: Ledger, clock: Clock) -> None:
    ledger.pauses.pause("pulls", "ann", "for an hour", NOON + timedelta(hours=1))
    clock.advance(hours=1)
    assert not ledger.pauses.resume("pulls", "ben", "it is back")
    with pytest.raises(PauseRefused):
        ledger.pauses.pause("pulls", "ann", "a slip of the year", NOON)
    assert [row.act for row in ledger.letters.audit_page(9).rows] == ["pause"]


def test_of_a_paused_route_nothing_is_begun_however_long_a_worker_takes_to_see_the_pause(
    ledger: Ledger, clock: Clock
) -> None:
    member, booking = event("m-1", "member.updated", subject="77"), event("e-1")
    ledger.pauses.pause("members", "ann", "for an hour", NOON + timedelta(hours=1))
    assert ledger.foresee([member]) == [Take()], "who replays it now has it worked once the route goes on"
    held, begun = ledger.claim([member, booking], "w-1", LEASE)
    assert held == ClaimBusy("route members is paused")
    assert isinstance(begun, Claimed)
    assert ledger.event("crm", "m-1") is None, "it is as if it had not been taken"
    clock.advance(hours=1)
    assert isinstance(ledger.claim([member], "w-1", LEASE)[0], Claimed)


def test_retrying_now_is_in_the_audit_even_where_the_broker_fails_halfway(ledger: Ledger) -> None:
    class Failing:
        def hasten(self, route: str) -> int:
            raise BrokerUnavailable("lost after 300")

    with pytest.raises(BrokerUnavailable):
        retry_now(Failing(), ledger.letters, "members", who="ann", why="it is back")  # type: ignore[arg-type]
    (row,) = ledger.letters.audit_page(9).rows
    assert (row.who, row.act, row.why, row.what) == ("ann", "retry now", "it is back", "route members")
    with pytest.raises(RouteUnknown):
        retry_now(Failing(), ledger.letters, "nowhere", who="ann", why="a slip")  # type: ignore[arg-type]
    assert len(ledger.letters.audit_page(9).rows) == 1


def test_users_are_made_once_changed_and_disabled(ledger: Ledger) -> None:
    ledger.people.add_user("ann", Role.ADMIN, "$argon2id$1", "setup")
    with pytest.raises(PersonRefused):
        ledger.people.add_user("ann", Role.VIEWER, "other", "setup")
    changed = ledger.people.change_user("ann", "setup", role=Role.VIEWER, disabled=True)
    assert (changed.role, changed.disabled, changed.password_hash) == (Role.VIEWER, True, "$argon2id$1")
    assert ledger.people.user("nobody") is None
    assert [user.name for user in ledger.people.users()] == ["ann"]
    with pytest.raises(PersonRefused):
        ledger.people.change_user("nobody", "setup", disabled=True)
    assert "argon2" not in str([row for row in ledger.letters.audit_page(9).rows])


def test_a_changed_user_must_sign_in_again(ledger: Ledger) -> None:
    ledger.people.add_user("ann", Role.ADMIN, "$argon2id$1", "setup")
    ledger.people.open_session("ann", Role.ADMIN, "sha", "csrf", NOON + timedelta(hours=8))
    assert ledger.people.session("sha") is not None
    ledger.people.change_user("ann", "setup", password_hash="new")
    assert ledger.people.session("sha") is None


def test_a_user_is_signed_out_or_removed_with_all_sessions_and_nobody_else_is(ledger: Ledger, clock: Clock) -> None:
    people = ledger.people
    people.add_user("ann", Role.ADMIN, "$argon2id$1", "setup")
    for key, user, hours in (("one", "ann", 8), ("two", "ann", 8), ("old", "ann", 1), ("ben", "ben", 8), ("g", "", 8)):
        people.open_session(user, Role.VIEWER, key, "csrf", NOON + timedelta(hours=hours))
    clock.advance(hours=2)
    assert people.count_sessions() == {"ann": 2, "ben": 1, "": 1}
    assert people.end_sessions("ann", "setup") == 2
    assert people.count_sessions() == {"ben": 1, "": 1}
    people.open_session("ann", Role.VIEWER, "three", "csrf", NOON + timedelta(hours=8))
    people.remove_user("ann", "setup")
    assert people.user("ann") is None
    assert people.count_sessions() == {"ben": 1, "": 1}
    with pytest.raises(PersonRefused):
        people.remove_user("ann", "setup")
    acts = [(row.act, row.what) for row in ledger.letters.audit_page(9).rows]
    assert acts == [("remove user", "user ann"), ("end sessions", "user ann"), ("add user", "user ann")]


def test_a_session_ends_with_its_time_or_by_leaving(ledger: Ledger, clock: Clock) -> None:
    ledger.people.open_session("", Role.OPERATOR, "one", "csrf", NOON + timedelta(hours=8))
    ledger.people.open_session("", Role.OPERATOR, "two", "csrf", NOON + timedelta(hours=8))
    ledger.people.close_session("two")
    assert ledger.people.session("two") is None
    clock.advance(hours=8)
    assert ledger.people.session("one") is None


def test_a_revoked_token_opens_nothing(ledger: Ledger) -> None:
    token = ledger.people.add_token("grafana", Role.VIEWER, "sha", "ann")
    found = ledger.people.token("sha")
    assert found is not None
    assert found.role is Role.VIEWER
    assert ledger.people.tokens()[0].last_used == NOON
    ledger.people.revoke_token(token.id, "ann")
    assert ledger.people.token("sha") is None
    assert ledger.people.token("another") is None


def test_failed_logins_are_forgotten_after_a_quarter_of_an_hour(ledger: Ledger, clock: Clock) -> None:
    assert [ledger.people.failed_login("ann") for _ in range(3)] == [1, 2, 3]
    assert ledger.people.failed_logins("ben") == 0
    clock.advance(minutes=15)
    assert ledger.people.failed_logins("ann") == 0
    for _ in range(3):
        ledger.people.failed_login("ann")
    ledger.people.forgive_login("ann")
    ledger.people.forgive_login("ben")
    assert ledger.people.failed_logins("ann") == 2
    ledger.people.clear_logins("ann")
    assert ledger.people.failed_logins("ann") == 0


def test_a_role_covers_those_below_it() -> None:
    assert Role.ADMIN.covers(Role.OPERATOR)
    assert Role.OPERATOR.covers(Role.OPERATOR)
    assert not Role.VIEWER.covers(Role.OPERATOR)


def test_a_job_is_leased_by_its_number_and_given_back_before_its_lease_runs_out(ledger: Ledger) -> None:
    first, second = (ledger.jobs.create("replay", FOUR, "ann", "a test").id for _ in range(2))
    assert ledger.jobs.lease("archive", 60, only=second).id == second
    assert ledger.jobs.lease("command", 60, only=second) is None
    assert ledger.jobs.release(second, "command") is False  # it is not its own
    assert ledger.jobs.lease("command", 60, only=second) is None
    assert ledger.jobs.release(second, "archive") is True
    assert ledger.jobs.lease("command", 60, only=second).id == second
    assert ledger.jobs.lease("archive", 60).id == first
