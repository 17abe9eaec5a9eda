"""SimplyBook.me, as a row of the registry."""

from __future__ import annotations

from typing import Final

from bellhop.vendors.simplybook.callback_body import CALLBACKS_ROUTE
from bellhop.vendors.simplybook.settings import ACCOUNT
from bellhop.vendors.vendor import Vendor

SIMPLYBOOK: Final = Vendor("simplybook", ACCOUNT.title, ACCOUNT, routes=(CALLBACKS_ROUTE,))
