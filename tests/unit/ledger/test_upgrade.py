from __future__ import annotations

from alembic.config import Config
from alembic.script import ScriptDirectory

from bellhop.ledger.upgrade import MIGRATIONS, REVISIONS


def test_the_revisions_are_one_chain_in_the_order_of_their_files_names() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert [script.revision for script in scripts.walk_revisions()][::-1] == list(REVISIONS)
    assert scripts.get_heads() == [REVISIONS[-1]]
