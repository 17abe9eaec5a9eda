from __future__ import annotations

from alembic.config import Config
from alembic.script import ScriptDirectory

from bellhop.ledger.engine import _MIGRATIONS, _NEWEST


def test_the_newest_migration_is_the_one_whose_file_is_named_last() -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [_NEWEST]
