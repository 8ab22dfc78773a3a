"""The site in memory that most tests begin with; a module with another one has fixtures of the same names."""

import pytest
import sites


@pytest.fixture
def inventory():
    """The guide's three hosts."""
    return sites.an_inventory()


@pytest.fixture
def fleet(inventory):
    """Hosts on which nothing was deployed yet."""
    return sites.a_fleet(inventory)
