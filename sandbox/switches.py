"""The quirks nobody can settle from public material, as switches.

`grade` tells how well a default is known: V vendor's own document or code, L seen on the live API by others,
S second hand, I inferred.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any


class ControlError(ValueError):
    """Raised for control input that cannot be followed; its text says what is wrong."""


def _switch(default: Any, grade: str, means: str, allowed: tuple[object, ...] = ()) -> Any:
    return field(default=default, metadata={"grade": grade, "means": means, "allowed": allowed})


@dataclass(frozen=True, slots=True)
class Switches:
    simplybook_token_seconds: int = _switch(3600, "V", "how long a token lives")
    simplybook_new_token_ends_earlier: bool = _switch(False, "S", "getToken makes the company's earlier tokens invalid")
    simplybook_error_status: int = _switch(200, "V", "HTTP status of an RPC error (401, 500: S)", (200, 401, 500))
    simplybook_numbers_echoed_as_text: bool = _switch(
        True, "V", "a result echoes the request's id 1 as \"1\", as in the document's example; errors echo it as it was"
    )
    simplybook_null_members: bool = _switch(
        False, "V", "a success carries error: null and a failure result: null, as the document's prose has it"
    )
    simplybook_require_confirm: bool = _switch(
        False, "V", "Approve booking is active: bookings wait for confirmBooking, occupying their slots"
    )
    simplybook_cancel_twice_is_true: bool = _switch(
        False, "I", "cancelling a cancelled booking answers true; otherwise -32080, as for one that never was"
    )
    peoplevine_refuses_overlap: bool = _switch(
        True, "I", "a technician's time that is taken is refused; otherwise it is booked a second time"
    )
    peoplevine_failure_status: int = _switch(
        200, "V", "HTTP status of success:false (others are not public: I)", (200, 400, 401, 404, 422, 500)
    )

    def changed(self, values: Mapping[str, object]) -> Switches:
        """These switches with `values` laid over them. Raises ControlError for an unknown name or a wrong value."""
        known = {item.name: item for item in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ControlError(f"{name} is not a switch; the switches are {', '.join(known)}")
            allowed = known[name].metadata["allowed"]
            wanted = type(known[name].default)
            if type(value) is not wanted or (wanted is int and value < 0):  # type: ignore[operator]
                raise ControlError(f"{name} must be {'true or false' if wanted is bool else 'a whole number from 0'}")
            if allowed and value not in allowed:
                raise ControlError(f"{name} must be one of {', '.join(map(str, allowed))}")
        return replace(self, **values)  # type: ignore[arg-type]

    def described(self) -> dict[str, dict[str, object]]:
        """Value, grade and meaning by name."""
        return {
            item.name: {
                "value": getattr(self, item.name),
                "grade": item.metadata["grade"],
                "means": item.metadata["means"],
            }
            for item in fields(self)
        }
