"""What --since, --service and --lines take, and what they refuse."""

import fnmatch
from datetime import UTC, datetime, timedelta

import pytest

from deployer.errors import BadInput
from deployer.logs import query
from deployer.logs.query import LogQuery
from deployer.model.names import unit_name
from deployer.model.service import Service

NOW = datetime(2026, 11, 21, 17, 30, tzinfo=UTC)


def local(*fields):
    return f"@{int(datetime(*fields).astimezone().timestamp())}"


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("", ""),
        ("30s", "-30s"),
        ("10m", "-600s"),
        ("2h", "-7200s"),
        ("1d", "-86400s"),
        ("1w", "-604800s"),
        ("1h30m", "-5400s"),
        ("2026-11-21T17:00:00Z", f"@{int(NOW.timestamp()) - 1800}"),
        ("2026-11-21T18:00:00+01:00", f"@{int(NOW.timestamp()) - 1800}"),
        ("1960-01-01", "@0"),
    ],
)
def test_since_is_a_span_or_a_moment_as_journalctl_takes_it(text, since):
    assert query.since_of(text, NOW) == since


def test_since_without_a_zone_is_of_this_machines_zone():
    now = datetime.now().astimezone()
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)

    assert query.since_of("2026-11-20 17:00", NOW) == local(2026, 11, 20, 17)
    assert query.since_of("2026-11-20", NOW) == local(2026, 11, 20)
    assert query.since_of("12:00", noon + timedelta(hours=1)) == f"@{int(noon.timestamp())}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        *((text, "--since takes 30s, 10m") for text in ("x", "10", "m", "-5m", "10 m", "1.5h", "2026-13-01", "25:00")),
        ("2026-11-21T17:31:00Z", "still to come"),
        ("99999999w", "at most 36500 days"),
        ("@0", "--since takes"),
    ],
)
def test_since_that_is_no_time_or_still_to_come_is_refused(text, words):
    with pytest.raises(BadInput, match=words) as raised:
        query.since_of(text, NOW)

    assert raised.value.exit_code == 3


@pytest.mark.parametrize("service", list(Service))
def test_patterns_of_a_service_are_like_its_units_and_no_others(service):
    asked = LogQuery((), query.service_of(str(service)))
    like = {each for each in Service for pattern in asked.units if fnmatch.fnmatch(unit_name(each, 7), pattern)}

    assert like == {service}


def test_patterns_of_no_service_are_like_the_units_of_all_and_own_engines_count():
    everything = LogQuery((), query.service_of(""))

    assert {each for each in Service for like in everything.units if fnmatch.fnmatch(unit_name(each, 7), like)} == {
        *Service
    }
    assert everything.programs == ("heat-engine",)


def test_own_engines_count_for_engines_and_for_no_other_service():
    assert LogQuery((), Service.ENGINE).programs == ("heat-engine",)
    assert LogQuery((), Service.API).programs == ()


def test_service_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(BadInput, match="--service takes api, cfn, engine, proxy, not 'engines'"):
        query.service_of("engines")


@pytest.mark.parametrize("number", [0, -1, 10_001])
def test_lines_out_of_bounds_are_refused_with_the_bounds(number):
    with pytest.raises(BadInput, match="from 1 to 10000"):
        query.lines_of(number)
