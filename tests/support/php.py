"""A company at SimplyBook.me that PHP serves, as Zend's JSON-RPC server would: `zend.php`."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3

from tests.support.require import missing
from tests.support.service import free_port, wait_for

_SCRIPT = Path(__file__).with_name("zend.php")

ACCOUNT = """
[accounts.zend]
kind = "simplybook"
base_url = "{url}"
company = "zend"
api_key = "zend-api-key"
secret_key = "zend-secret-key"
connect_timeout = "1s"
read_timeout = "1s"
[venues.zend]
account = "zend"
timezone = "Europe/London"
"""
"""Its part of the settings."""


class PhpCompany:
    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._kept = folder / "bookings.json"

    @property
    def bookings(self) -> list[dict[str, Any]]:
        """In the order in which they were made; `cancelled` stands where one is."""
        return list(json.loads(self._kept.read_text()).values()) if self._kept.exists() else []


@contextlib.contextmanager
def php_company(folder: Path) -> Iterator[PhpCompany]:
    php = shutil.which("php")
    if php is None:
        missing("PHP", "apt install php-cli")
    port = free_port()
    company = PhpCompany(f"http://127.0.0.1:{port}", folder)
    environment = {**os.environ, "BOOKINGS": str(folder / "bookings.json")}
    with (folder / "php.log").open("ab") as log:
        command = [php, "-S", f"127.0.0.1:{port}", str(_SCRIPT)]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        wait_for(lambda: _answers(company.url), "PHP answers")
        yield company
    finally:
        process.kill()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        return urllib3.request("GET", f"{url}/login/", retries=False, timeout=5).status == 200
    except urllib3.exceptions.HTTPError:
        return False
