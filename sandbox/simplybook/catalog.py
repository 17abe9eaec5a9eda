"""What SimplyBook.me's company has to offer and how it is set up, pretended: lists, parameters, Custom Features.

Document: `simplybook-public-service-methods`, whose examples are the rows' forms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from bellhop.sandbox.answers import Reply
from bellhop.sandbox.simplybook.hours import Hours
from bellhop.sandbox.simplybook.intake import field_row
from bellhop.sandbox.simplybook.payments import CURRENCY
from bellhop.sandbox.simplybook.rpc import RpcError, text_of
from bellhop.sandbox.simplybook.seed import Category, Location, Service, SimplybookSeed, Unit
from bellhop.sandbox.simplybook.switches import SimplybookSwitches

_TIMELINE: Final = "modern_week"
_ABOUT: Final = "Write a description about your company or about you as a service provider."


class Catalog:
    """`methods` are the document's, by name."""

    def __init__(
        self,
        seed: SimplybookSeed,
        switches: Callable[[], SimplybookSwitches],
        hours: Hours,
        now: Callable[[], datetime],
    ) -> None:
        self._seed = seed
        self._switches = switches
        self._hours = hours
        self._now = now
        self.methods: Mapping[str, Callable[..., Reply]] = {
            "getEventList": self._event_list,
            "getUnitList": self._unit_list,
            "getCategoriesList": self._categories_list,
            "getLocationsList": self._locations_list,
            "getAdditionalFields": self._additional_fields,
            "getAnyUnitData": self._any_unit_data,
            "getUserLicenseText": self._user_license_text,
            "getCompanyInfo": self._company_info,
            "getCompanyParam": self._company_param,
            "getCompanyParams": self._company_params,
            "getCompanyTimezoneOffset": self._company_timezone_offset,
            "getCountryPhoneCodes": self._country_phone_codes,
            "getTimeframe": lambda: Reply(str(seed.timeframe)),
            "getTimelineType": lambda: Reply(_TIMELINE),
            "getPluginStatuses": self._plugin_statuses,
            "isPluginActivated": self._is_plugin_activated,
        }

    def _event_list(self, visible_only: Any = False, as_array: Any = False) -> Reply:
        rows = [_event_row(one, place) for place, one in enumerate(self._seed.services)]
        return _list_or_map(rows, visible_only, as_array)

    def _unit_list(self, visible_only: Any = False, as_array: Any = False) -> Reply:
        rows = [_unit_row(one, place) for place, one in enumerate(self._seed.units)]
        return _list_or_map(rows, visible_only, as_array, "is_visible")

    def _categories_list(self, is_public: Any = False) -> Reply:
        self._need_plugin("event_category")
        rows = [self._category_row(one, place) for place, one in enumerate(self._seed.categories)]
        return _list_or_map(rows, is_public, True)

    def _category_row(self, category: Category, place: int) -> dict[str, Any]:
        """The document gives no example."""
        return {
            "id": category.id,
            "name": category.name,
            "description": None,
            "picture": None,
            "is_public": "1" if category.public else "0",
            "position": str(place),
            "events": [service.id for service in self._seed.services if category.id in service.categories],
        }

    def _locations_list(self, is_public: Any = False, as_array: Any = False) -> Reply:
        """The document's row does not say which are public; it is left out of it."""
        self._need_plugin("location")
        shown = [one for one in self._seed.locations if one.public or not is_public]
        return _list_or_map([_location_row(one, place) for place, one in enumerate(shown, 1)], False, as_array)

    def _additional_fields(self, event_id: Any) -> Reply:
        service = self._hours.service(event_id)
        on = self._switches().plugin("event_field")
        return Reply([field_row(one, place) for place, one in enumerate(service.fields)] if on else [])

    def _any_unit_data(self) -> Reply:
        """As in the document's example; null where the Custom Feature is off."""
        if not self._switches().plugin("any_unit"):
            return Reply(None)
        return Reply(
            {
                "description": "Select this option, if you want to find an available time with any of the employees",
                "hide_other_units": 1,
                "image": None,
                "name": "Any employee",
                "picture_path": None,
                "random_selection": 0,
            }
        )

    def _user_license_text(self) -> Reply:
        self._need_plugin("user_license")
        return Reply("<p>Come in time, and be kind.</p>")

    def _need_plugin(self, name: str) -> None:
        if not self._switches().plugin(name):
            raise RpcError(-32001)

    def _is_plugin_activated(self, name: Any) -> Reply:
        return Reply(self._switches().plugin(text_of(name)))

    def _plugin_statuses(self, names: Any) -> Reply:
        if not isinstance(names, list):
            raise RpcError(-32602)
        return Reply({text_of(name): self._switches().plugin(name) for name in names})

    def _params(self) -> dict[str, Any]:
        """The document's "Company params"; those of a Custom Feature that is off are not there."""
        seed, plugin = self._seed, self._switches().plugin
        params: dict[str, Any] = {
            "allow_event_breaktime_break": "0",
            "allow_event_day_break": "0",
            "changable_prefix_by_client": "1",
            "company_timezone": seed.zone.key,
            "date_format": "d-m-Y",
            "fixed_country_prefix": "GB",
            "max_time_till_event": str(seed.days_ahead),
            "min_time_till_event": "0",
            "monday_is_first_day": "1",
            "require_fields": seed.require_fields,
            "send_notifications_in_client_timezone": "0",
            "show_booking_page_in_client_timezone": "0",
            "time_format": "H:i",
            "timeframe": str(seed.timeframe),
            "user_public_timeline_type": _TIMELINE,
        }
        if plugin("group_booking"):
            params["max_group_bookings"] = str(max(unit.qty for unit in seed.units))
        if plugin("paid_events"):
            params |= {
                "allow_delay_payment": "1",
                "hide_sale_tax": "0",
                "payment_timeout": self._switches().simplybook_payment_timeout,
                "sale_tax": "2000",
            }
        if plugin("cancelation_policy"):
            params |= {
                "cancelation_policy_text": "Cancel at least a day before.",
                "cancelation_policy_label": "I have read the cancellation policy",
                "cancelation_policy_period": "1 day",
            }
        return params

    def _company_param(self, key: Any) -> Reply:
        params = self._params()
        if text_of(key) not in params:
            raise RpcError(-32602)
        return Reply(params[key])

    def _company_params(self, keys: Any) -> Reply:
        """What there is not, or may not be seen, is false."""
        if not isinstance(keys, list):
            raise RpcError(-32602)
        params = self._params()
        return Reply({text_of(key): params.get(key, False) for key in keys})

    def _company_timezone_offset(self) -> Reply:
        """The document gives no example; the offset in minutes, as it gives offsets elsewhere."""
        offset = self._now().astimezone(self._seed.zone).utcoffset()
        minutes = int(offset.total_seconds() // 60) if offset is not None else 0
        return Reply({"offset": str(minutes), "timezone": self._seed.zone.key})

    def _country_phone_codes(self) -> Reply:
        """A few; the document gives no example."""
        codes = (("DE", "Germany", "49"), ("GB", "United Kingdom", "44"), ("US", "United States", "1"))
        return Reply([{"country_id": id_, "country_name": name, "phone_code": code} for id_, name, code in codes])

    def _company_info(self) -> Reply:
        """As in the document's example."""
        return Reply(
            {
                "login": self._seed.company,
                "name": "Sandbox",
                "description": _ABOUT,
                "address1": "",
                "address2": "Storey's Gate, ",
                "city": "London",
                "country_id": "GB",
                "lat": "51.500435",
                "lng": "-0.129811",
                "email": "sandbox@example.com",
                "phone": "",
                "web": None,
                "skip_address": None,
                "logo": None,
                "address": "GB, London, Storey's Gate, ",
                "description_text": _ABOUT,
                "timezone": self._seed.zone.key,
                "show_in_client_timezone": False,
                "timeframe": str(self._seed.timeframe),
                "timeline_type": _TIMELINE,
                "allow_event_day_break": "0",
                "allow_event_breaktime_break": "0",
            }
        )


def _list_or_map(rows: list[dict[str, Any]], visible_only: Any, as_array: Any, visible: str = "is_public") -> Reply:
    """A list by position, or a map by id. visible: the row's member that tells whether it is for the public."""
    if visible_only:
        rows = [row for row in rows if row[visible] == "1"]
    return Reply(rows if as_array else {row["id"]: row for row in rows})


def _event_row(service: Service, place: int) -> dict[str, Any]:
    """As in the document's example."""
    picture = service.picture
    return {
        "id": service.id,
        "name": service.name,
        "duration": str(service.minutes),
        "hide_duration": "0",
        "description": None,
        "picture": picture,
        "is_public": "1" if service.public else "0",
        "is_active": "1",
        "position": str(place),
        "is_recurring": "1" if service.repeats > 1 else "0",
        "picture_path": f"/uploads/sandbox/event__picture/small/{picture}" if picture else None,
        "price": service.price,
        "currency": CURRENCY,
        "categories": list(service.categories),
    }


def _unit_row(unit: Unit, place: int) -> dict[str, Any]:
    """The document gives no example of a unit."""
    return {
        "id": unit.id,
        "name": unit.name,
        "email": None,
        "phone": None,
        "description": None,
        "picture": None,
        "picture_path": None,
        "is_active": "1",
        "is_visible": "1" if unit.public else "0",
        "qty": str(unit.qty),
        "position": str(place),
    }


def _location_row(location: Location, place: int) -> dict[str, Any]:
    """As in the document's example."""
    picture = "e1e9409fe9682c78b2f8f294dc151af0.jpg"
    return {
        "id": location.id,
        "title": location.title,
        "description": None,
        "picture": picture,
        "address1": None,
        "address2": "Saint Margaret Street",
        "city": "London",
        "zip": None,
        "country_id": "GB",
        "lat": "51.50013000000000000000",
        "lng": "-0.12630500000000000000",
        "phone": "",
        "position": str(place),
        "is_default": "1" if place == 1 else "0",
        "file_id": "4",
        "picture_sub_path": "/image_files",
        "picture_path": f"/uploads/sandbox/image_files/small/{picture}",
        "units": list(location.units),
    }
