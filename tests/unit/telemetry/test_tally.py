"""What the ingress counts with every webhook is added up, and entered as if it had been entered at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bellhop.telemetry.metrics import Metrics
from bellhop.telemetry.tally import Tally
from bellhop.vendors.settings import build

_SETTINGS = build({"sources": {"crm": {"verifier": "bearer", "secrets": "x" * 20}}})
_SECONDS = st.floats(0, 20)
_EVENTS = st.one_of(
    st.tuples(
        st.just("webhook.accepted"),
        st.fixed_dictionaries(
            {
                "source": st.sampled_from(("crm", "", "unknown")),
                "status": st.sampled_from((200, 202)),
                "seconds": _SECONDS,
            }
        ),
    ),
    st.tuples(
        st.just("publish.settled"),
        st.fixed_dictionaries(
            {
                "to": st.sampled_from(("work", "retry")),
                "outcome": st.sampled_from(("confirmed", "refused")),
                "seconds": _SECONDS,
            }
        ),
    ),
    st.tuples(
        st.just("webhook.refused"),
        st.fixed_dictionaries(
            {"source": st.just("crm"), "status": st.just(422), "reason": st.just("invalid-event"), "seconds": _SECONDS}
        ),
    ),
)


def _lines(exposition: bytes) -> dict[str, float]:
    rows = (line.rpartition(" ") for line in exposition.decode().splitlines() if line.startswith("bellhop_"))
    return {
        name: round(float(value), 6)
        for name, _, value in rows
        if "_created" not in name and not name.startswith(("process_", "bellhop_start"))
    }


@given(st.lists(_EVENTS, max_size=30))
def test_what_is_added_up_reads_like_what_is_entered_one_by_one(events: list[tuple[str, dict[str, object]]]) -> None:
    one_by_one, tally = Metrics(_SETTINGS, "ingest"), Tally(Metrics(_SETTINGS, "ingest"))
    for event, fields in events:
        one_by_one(event, fields)
        tally(event, fields)
    assert _lines(tally.exposition()) == _lines(one_by_one.exposition())


def test_what_an_alert_may_wait_for_is_entered_at_once() -> None:
    metrics = Metrics(_SETTINGS)
    Tally(metrics)("webhook.crashed", {"source": "crm"})
    assert _lines(metrics.exposition())["bellhop_crashes_total"] == 1
