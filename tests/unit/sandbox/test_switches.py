from __future__ import annotations

import pytest

from bellhop.sandbox.limits import Limit
from bellhop.sandbox.simplybook.switches import PLUGINS
from bellhop.sandbox.switch import ControlError
from bellhop.sandbox.switches import Switches


def test_texts_set_switches_of_every_kind() -> None:
    made = Switches().with_texts(
        [
            "simplybook_per_second=5",
            "simplybook_at_once=2",
            "simplybook_require_confirm=true",
            "simplybook_throttle_answer=403",
            "simplybook_login_error=-33004",
            "simplybook_service_url=https://user-api.simplybook.it",
            "simplybook_plugins=api,promo",
        ]
    )
    assert made.simplybook_limit == Limit(5, 2, 0)
    assert made.simplybook_require_confirm is True
    assert made.simplybook_throttle_answer == "403"
    assert made.simplybook_login_error == -33004
    assert made.simplybook_service_url == "https://user-api.simplybook.it"
    assert [name for name in PLUGINS if made.plugin(name)] == ["api", "approve_booking", "promo"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("simplybook_per_second", "NAME=VALUE"),
        ("nothing=1", "nothing is not a switch"),
        ("simplybook_per_second=many", "a whole number from 0"),
        ("simplybook_per_second=-1", "a whole number from 0"),
        ("simplybook_per_second=\u00b2", "a whole number from 0"),
        ("simplybook_require_confirm=yes", "true or false"),
        ("simplybook_login_error=-1", "one of 0, -33001"),
        ("simplybook_throttle_answer=500", "one of 429, 403, rpc"),
        ("simplybook_plugins=api,wings", "wings is none of"),
        ("peoplevine_region=3", "one of 1, 2"),
    ],
)
def test_a_text_that_sets_no_switch_is_refused_with_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(ControlError) as caught:
        Switches().with_texts([text])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_custom_feature_is_put_on_and_off_without_touching_the_others() -> None:
    before = Switches()
    after = before.with_values(before.plugins({"promo": False, "hipaa": True, "approve_booking": True}))
    changed = {name for name in PLUGINS if before.plugin(name) is not after.plugin(name)}
    assert changed == {"promo", "hipaa", "approve_booking"}
    assert after.simplybook_require_confirm is True
    for wrong in ({"wings": True}, {"promo": 1}):
        with pytest.raises(ControlError):
            before.plugins(wrong)


def test_without_any_custom_feature_none_is_active() -> None:
    none = Switches().with_values({"simplybook_plugins": ""})
    assert not [name for name in PLUGINS if none.plugin(name)]
