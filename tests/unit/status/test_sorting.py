"""Rows in an order that stays."""

import itertools
import random

import sites

from deployer.status import sorting
from deployer.status.instances import InstanceStatus

ROWS = (
    ("hostA", "proxy", "heat-scaleout-proxy.service"),
    ("hostA", "engine", "heat-engine.service"),
    ("hostB", "api", "heat-scaleout-api@8004.service"),
    ("hostB", "api", "heat-scaleout-api@8099.service"),
    ("hostB", "api", "nginx.service"),
    ("hostB", "cfn", "heat-scaleout-cfn@8000.service"),
    ("hostB", "engine", "heat-scaleout-engine@2.service"),
    ("hostB", "engine", "heat-scaleout-engine@10.service"),
    ("hostC", "engine", "heat-scaleout-engine@1.service"),
    ("hostC", "something", "heat-scaleout-contract.service"),
    ("elsewhere", "engine", "elsewhere"),
    ("left", "api", "rest_api_proxy/left"),
)


def shuffled(seed):
    rows = [InstanceStatus(*row) for row in ROWS]
    random.Random(seed).shuffle(rows)
    return rows


def test_rows_are_by_host_then_service_then_number_in_whatever_order_they_came():
    for seed in range(20):
        found = sorting.in_order(sites.an_inventory(), shuffled(seed))

        assert [(each.host, each.service, each.unit) for each in found] == list(ROWS)


def test_row_that_comes_or_goes_leaves_the_others_in_their_order():
    inventory = sites.an_inventory()
    whole = sorting.in_order(inventory, shuffled(1))

    for gone in whole:
        rest = sorting.in_order(inventory, [each for each in shuffled(2) if each != gone])
        assert rest == tuple(itertools.filterfalse(gone.__eq__, whole))
