"""The directory port's contract and what only one implementation promises."""

import pytest

pytest.register_assert_rewrite(
    "tests.directory.contract",
    "tests.directory.contract_reading",
    "tests.directory.contract_changes",
    "tests.directory.contract_creating",
    "tests.directory.contract_modifying",
    "tests.directory.contract_moving",
    "tests.directory.contract_reanimating",
)
