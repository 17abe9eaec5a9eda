"""Peoplevine, as a row of the registry."""

from __future__ import annotations

from typing import Final

from bellhop.vendors.peoplevine.settings import ACCOUNT
from bellhop.vendors.vendor import Vendor

PEOPLEVINE: Final = Vendor("peoplevine", ACCOUNT.title, ACCOUNT)
