"""What all fuzz targets share: how many inputs each gets, and bodies with a few things in them put wrong.

A target is a Hypothesis test. The suite tries a few inputs of each; `make fuzz` (`tools/fuzz.py`) many, chosen by
coverage where atheris can be had.
"""

from __future__ import annotations

import copy
import functools
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "30"))
SAMPLES: Final = Path(__file__).resolve().parents[2] / "docs" / "samples"
TRIED: Final[Counter[str]] = Counter()
"""How many inputs each target was given, and the rarer kinds of what became of them."""

Law = TypeVar("Law", bound=Callable[..., None])


def target(**strategies: st.SearchStrategy[Any]) -> Callable[[Law], Callable[[], None]]:
    """A law that holds of whatever the strategies make."""

    def made(law: Law) -> Callable[[], None]:
        @functools.wraps(law)
        def counted(**given_: Any) -> None:
            TRIED[law.__name__] += 1
            law(**given_)

        checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
        return settings(max_examples=EXAMPLES, suppress_health_check=checks)(given(**strategies)(counted))

    return made


ODD: Final[list[Any]] = [
    *(None, "", " ", "x", "ä", "7", " 7 ", "-7", "7\n", "\u0667", "a\x00", "\ud800", "a\u200bb", "x" * 201, "x" * 5000),
    *(0, 1, -7, 7.0, 1.5, -0.0, 2**53 + 1, 2**64, -(2**64), 10**30, 1e300, True, False),
    *([], {}, [{}], [None], [[]], {"a": None}, {"a": {"b": [1]}}, {"k" * 201: 1}, {"a\x00": 1}, ["x"] * 30),
    *(
        "2027-05-10T09:15:00",
        "2027-05-10T09:15:00Z",
        "2027-03-28T01:30:00",
        "2027-10-31T01:30:00",
        "10/05/2027 9:15 AM",
    ),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", 1795818000, 1795818000123, -1, "1900-01-01T00:00:00Z"),
    *(
        "canceled",
        "CANCELLED ",
        "booking.cancelled",
        "member.updated",
        "test",
        "salon",
        "spa",
        "ada@",
        "PT1H",
        "Europe/Paris",
    ),
]
"""Values that surprise wherever they stand. None holds anything of a guest."""


def _places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place within a JSON value, but itself."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*at, key)
        yield from _places(one, (*at, key))


def _holder(value: Any, place: tuple[str | int, ...]) -> Any:
    for key in place[:-1]:
        value = value[key]
    return value


def _put_wrong(draw: st.DrawFn, body: Any) -> Any:
    places = list(_places(body))
    if not places:
        return draw(st.sampled_from(ODD))
    place = draw(st.sampled_from(places))
    holder, key = _holder(body, place), place[-1]
    act = draw(st.sampled_from(("odd", "odd", "gone", "wrapped", "renamed", "twice", "text")))
    if act == "odd":
        holder[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
    elif act == "wrapped":
        holder[key] = [holder[key]]
    elif act == "text" and isinstance(holder[key], int | float):
        holder[key] = str(holder[key])
    elif act == "twice" and isinstance(holder, list) and isinstance(key, int):
        holder.append(copy.deepcopy(holder[key]))
    elif act == "renamed" and isinstance(holder, dict) and isinstance(key, str):
        holder[draw(st.sampled_from((key.upper(), f"{key} ", f"x_{key}", key.replace("_", ""))))] = holder.pop(key)
    elif act == "gone":
        del holder[key]
    return body


@st.composite
def put_wrong(draw: st.DrawFn, *samples: Any) -> Any:
    """One of the samples, with up to four things in it put wrong; at times a list of such."""
    many = draw(st.sampled_from((1, 1, 1, 2, 3)))
    made = []
    for _ in range(many):
        body = copy.deepcopy(draw(st.sampled_from(samples)))
        for _ in range(draw(st.integers(0, 4))):
            body = _put_wrong(draw, body)
        made.append(body)
    return made[0] if many == 1 else made


def samples_of(format_: str) -> list[Any]:
    return [json.loads(file.read_text()) for file in sorted((SAMPLES / format_).glob("*.json"))]


def guest_of(sample: Any, key: str = "") -> Iterator[str]:
    """The texts of a sample that are a guest's own."""
    if isinstance(sample, Mapping):
        for name, inner in sample.items():
            yield from guest_of(inner, str(name))
    elif isinstance(sample, list):
        for inner in sample:
            yield from guest_of(inner, key)
    elif (
        isinstance(sample, str)
        and len(sample) > 5
        and any(part in key for part in ("mail", "phone", "note", "last_name"))
    ):
        yield sample
