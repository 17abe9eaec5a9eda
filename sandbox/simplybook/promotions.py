"""SimplyBook.me's promotions, pretended: what a code is worth, to whom, for what and when.

Document: `simplybook-public-service-methods`. A code's life is judged by today's date, its "datetime range" by the
appointment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bellhop.sandbox.answers import Reply
from bellhop.sandbox.simplybook.hours import Hours
from bellhop.sandbox.simplybook.rpc import RpcError, identifier, read_moment, seats_of, text_of
from bellhop.sandbox.simplybook.seed import Promotion, Service, SimplybookSeed
from bellhop.sandbox.simplybook.switches import SimplybookSwitches

_TITLE = "[service/services] with [discount]% discount!"


class Promotions:
    """known_client: whether there is a client of that id. `methods` are the document's, by name."""

    def __init__(
        self,
        seed: SimplybookSeed,
        switches: Callable[[], SimplybookSwitches],
        hours: Hours,
        known_client: Callable[[str], bool],
    ) -> None:
        self._all = {promotion.code: promotion for promotion in seed.promotions}
        self._used = Counter({promotion.code: promotion.used for promotion in seed.promotions})
        self._used_by: Counter[tuple[str, str]] = Counter()
        self._switches = switches
        self._hours = hours
        self._known_client = known_client
        self.methods: Mapping[str, Callable[..., Reply]] = {
            "getPluginPromoInfoByCode": self._plugin_promo_info_by_code,
            "getPromocodeInfo": self._promocode_info,
            "getPromotionRewardInfo": self._promotion_reward_info,
            "hasUpcommingPromotions": self._has_upcomming_promotions,
            "validatePromoCode": self._validate_promo_code,
        }

    def check(self, code: str, service: Service, start: datetime, seats: int, client: str) -> Promotion:
        """client: whom a limit per customer is counted for; "" for nobody known.

        Raises RpcError -32001, -32030 to -32036.
        """
        self._need_plugin()
        promotion = self._all.get(code)
        if promotion is None:
            raise RpcError(-32030)
        today = self._hours.local_now().date()
        if today > promotion.expires:
            raise RpcError(-32031)
        if today < promotion.starts:
            raise RpcError(-32032)
        if service.id not in promotion.services:
            raise RpcError(-32033)
        if promotion.uses and self._used[code] + seats > promotion.uses:
            raise RpcError(-32034)
        if promotion.uses_each and client and self._used_by[code, client] + seats > promotion.uses_each:
            raise RpcError(-32035)
        on_day = promotion.from_date <= start.date() <= promotion.to_date
        if not on_day or not promotion.from_time <= start.time() <= promotion.to_time:
            raise RpcError(-32036)
        return promotion

    def use(self, code: str, seats: int, client: str) -> None:
        self._used[code] += seats
        self._used_by[code, client] += seats

    def _need_plugin(self) -> None:
        if not self._switches().plugin("promo"):
            raise RpcError(-32001)

    def _plugin_promo_info_by_code(self, code: Any) -> Reply:
        """An unknown code is an empty object."""
        self._need_plugin()
        promotion = self._all.get(text_of(code))
        return Reply(_row(promotion) if promotion else {})

    def _promocode_info(self, code: Any) -> Reply:
        """An unknown code is null. The document gives no example: the other method's row."""
        promotion = self._all.get(text_of(code)) if self._switches().plugin("promo") else None
        return Reply(_row(promotion) if promotion else None)

    def _promotion_reward_info(self, common_promotion_id: Any, client_id: Any, hash_: Any) -> Reply:
        """The document tells neither the form nor what the hash is made of: any text will do."""
        common_id, client, _ = identifier(common_promotion_id), identifier(client_id), text_of(hash_)
        if not self._known_client(client):
            raise RpcError(-3264)
        for promotion in self._all.values():
            if promotion.common_id == common_id and self._switches().plugin("promo"):
                return Reply({"common_promotion_id": common_id, "client_id": client, "reward": promotion.discount})
        return Reply(None)

    def _has_upcomming_promotions(self) -> Reply:
        today = self._hours.local_now().date()
        active = any(one.starts <= today <= one.expires for one in self._all.values())
        return Reply(active and self._switches().plugin("promo"))

    def _validate_promo_code(
        self, code: Any, start: Any, event_id: Any, count: Any = None, client_data: Any = None
    ) -> Reply:
        service, seats = self._hours.service(event_id), seats_of(count)
        try:
            begins = datetime.strptime(" ".join(read_moment(start)), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007  # wall clock
        except ValueError:
            raise RpcError(-32602) from None
        email = client_data.get("email") if isinstance(client_data, dict) else None
        self.check(text_of(code), service, begins, seats, email if isinstance(email, str) else "")
        return Reply(True)


def _row(promotion: Promotion) -> dict[str, Any]:
    """As in the document's `getPluginPromoInfoByCode response`."""
    return {
        "id": promotion.id,
        "title": _TITLE,
        "code": promotion.code,
        "description": "We are offering [service/services] with an amazing [discount]% discount!",
        "discount": promotion.discount,
        "start_date": promotion.starts.isoformat(),
        "expired_date": promotion.expires.isoformat(),
        "sheduler_start_date": promotion.from_date.isoformat(),
        "sheduler_end_date": promotion.to_date.isoformat(),
        "sheduler_start_time": promotion.from_time.isoformat(),
        "sheduler_end_time": promotion.to_time.isoformat(),
        "allow_usage_count": str(promotion.uses),
        "fineprint_text": "Deal is limited for new clients only.",
        "redemption_text": "Present your confirmation code when you want to redeem your deal.\r\n[promocode]",
        "headline": _TITLE,
        "image": None,
        "allow_customer_count": str(promotion.uses_each),
        "show_in_catalogue": "1",
        "status": "active",
        "plugin_promo_message_id": "1",
        "common_promotion_id": promotion.common_id,
        "service_ids": list(promotion.services),
    }
