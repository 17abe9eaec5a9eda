"""What comes with a booking besides who, what and when: SimplyBook.me's intake form and the promotion code.

The document takes "array|Object": an object by the fields' names, or a list of `{"name", "value", "type"}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bellhop.sandbox.simplybook.rpc import RpcError
from bellhop.sandbox.simplybook.seed import IntakeField, Service

_PROMOCODE: Final = "promocode"
_TICKED: Final = (True, 1, "1", "on", "true")
_UNTICKED: Final = (False, 0, "0", "off", "false")


def entries(additional: Any) -> dict[str, Any]:
    """The values by name. Raises RpcError -32602 for what is neither form."""
    if additional is None:
        return {}
    if isinstance(additional, dict):
        return {
            name: value["value"] if isinstance(value, dict) and "value" in value else value
            for name, value in additional.items()
        }
    if not isinstance(additional, list):
        raise RpcError(-32602)
    found = {}
    for item in additional:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str) or "value" not in item:
            raise RpcError(-32602)
        found[item["name"]] = item["value"]
    return found


def promocode(given: Mapping[str, Any]) -> str:
    """The promotion code; "" where there is none. Raises RpcError -32030."""
    code = given.get(_PROMOCODE) or ""
    if not isinstance(code, str):
        raise RpcError(-32030)
    return code


def answers(service: Service, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the service's form; what it does not ask for is left out. Raises RpcError -32070."""
    found = {}
    for field in service.fields:
        value = given.get(field.name)
        if value is None or value == "":
            if field.mandatory:
                raise RpcError(-32070)
        elif not _fits(field, value):
            raise RpcError(-32070)
        else:
            found[field.name] = value
    return found


def field_row(field: IntakeField, place: int) -> dict[str, Any]:
    """As the vendor sends it: `is_null` is null for a mandatory field and "1" for an optional one."""
    return {
        "default": None,
        "id": field.id,
        "is_null": None if field.mandatory else "1",
        "length": None,
        "name": field.name,
        "on_main_page": None,
        "plugin_event_field_value_id": None,
        "pos": place,
        "title": field.title,
        "type": field.type,
        "value": None,
        "values": field.values,
    }


def _fits(field: IntakeField, value: Any) -> bool:
    if field.type == "checkbox":
        ticked = value in _TICKED if isinstance(value, bool | int | str) else False
        return ticked or (not field.mandatory and isinstance(value, bool | int | str) and value in _UNTICKED)
    if field.type == "digits":
        return (isinstance(value, int) and not isinstance(value, bool)) or (
            isinstance(value, str) and value.isascii() and value.isdigit()
        )
    if not isinstance(value, str):
        return False
    return field.type != "select" or value in [one.strip() for one in (field.values or "").split(",")]
