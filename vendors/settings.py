"""The settings, with every vendor's accounts: what all parts above this floor read them by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bellhop.schemas.settings import Settings, files
from bellhop.schemas.settings import build as _build
from bellhop.schemas.settings.accounts import AccountKind
from bellhop.schemas.settings.build import SourceCheck
from bellhop.schemas.settings.files import Config
from bellhop.vendors.registry import VENDORS

KINDS: Final[Mapping[str, AccountKind]] = {
    vendor.kind: replace(
        vendor.account,
        takes_members=vendor.members is not None,
        takes_pulls=vendor.pulls is not None,
        posts_callbacks=vendor.callbacks is not None,
    )
    for vendor in VENDORS
}


def build(document: Mapping[str, Any], place: Callable[[str], str] = lambda _key: "bellhop.toml") -> Settings:
    """As `schemas.settings.build.build_settings`."""
    return _build.build_settings(document, KINDS, place)


def read_config(path: Path | None, environ: Mapping[str, str], check: SourceCheck = lambda _source: None) -> Config:
    """As `schemas.settings.files.read_files`."""
    return files.read_files(path, environ, KINDS, check)


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """As `read_config`, the settings alone."""
    return read_config(path, environ).settings
