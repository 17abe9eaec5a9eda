pytest_plugins = ["tests.support.rabbitmq", "tests.support.postgres", "tests.support.ledger"]
