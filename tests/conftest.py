import os

from argon2 import PasswordHasher
from hypothesis import settings

from bellhop.console.access import passwords
from tests.support.examples import EXAMPLES

# Tables are printed whole then, whoever's terminal the tests run in; several workers name a narrow one.
os.environ.pop("COLUMNS", None)

pytest_plugins = [
    "tests.support.ledger",
    "tests.support.rabbitmq",
    "tests.support.postgres",
    "tests.support.pgbouncer",
    "tests.support.bulk",
    "tests.support.slowest",
]

# A password costs a tenth of a second, as it must, and hundreds are tried here. `unit/console/test_access.py` holds the
# real one to its parameters.
passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # type: ignore[misc]


def pytest_xdist_auto_num_workers() -> int:
    """Of two processes beside each other one waits, for a retry, a broker or a browser."""
    return 2 * len(os.sched_getaffinity(0))


# No deadline: a duration is no law of the code, and machines are busy. CI tries the same examples each time, so that
# what fails there fails for the change; laptops go on looking for new ones.
settings.register_profile("bellhop", deadline=None, max_examples=EXAMPLES)
settings.register_profile("ci", settings.get_profile("bellhop"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "bellhop")
