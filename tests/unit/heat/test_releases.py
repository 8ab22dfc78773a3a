"""releases knows what each Heat is called, starts with and answers to."""

from pathlib import Path

import pytest

from deployer import errors
from deployer.heat import releases
from deployer.heat.releases import Release
from deployer.model.service import Service

SAMPLES = Path(__file__).parents[2] / "samples" / "heat"
PROGRAMS = ("heat-api", "heat-api-cfn", "heat-engine", "heat-manage")


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("24.1.2", Release(24, 1, 2)),
        ("1:22.0.0-2", Release(22, 0, 0)),
        ("20.0.0.0rc1", Release(20, 0, 0)),
        ("27", Release(27)),
        ("2.0.0", Release(2)),
    ],
)
def test_release_reads_the_versions_of_packages(text, release):
    assert Release.of(text) == release


@pytest.mark.parametrize("text", ["", "heat", "2025.3", "202.1", "v24", "-1"])
def test_release_of_something_else_is_refused(text):
    with pytest.raises(errors.BadInput):
        Release.of(text)


@pytest.mark.parametrize(
    ("paths", "version"),
    [
        (["/opt/heat/lib/python3.11/site-packages/openstack_heat-27.0.1.dist-info"], "27.0.1"),
        (["/opt/heat/lib/python3.11/site-packages/openstack_heat-24.1.2.dist-info/METADATA"], "24.1.2"),
        (["/usr/lib/python3/dist-packages/openstack_heat-19.0.0.egg-info"], "19.0.0"),
        (["/usr/lib/python3/site-packages/openstack_heat-19.0.0-py3.9.egg-info/PKG-INFO"], "19.0.0"),
        (["openstack_heat-25.0.0.0b1.dev3.dist-info"], "25.0.0"),
        (["/a/openstack_heat-9.0.0.egg-info", "/a/openstack_heat-10.0.0.egg-info"], "10.0.0"),
        (["/a/python_heatclient-4.0.0.dist-info", "/a/heat-dashboard-9.0.0.dist-info", ""], None),
        ([], None),
    ],
)
def test_release_is_read_from_package_metadata(paths, version):
    found = releases.from_metadata(paths)

    assert (found and str(found)) == version


@pytest.mark.parametrize(
    ("version", "programs", "launcher"),
    [
        ("18.0.0", PROGRAMS, releases.PROGRAMS),
        ("24.1.2", [f"/opt/heat/bin/{name}" for name in PROGRAMS], releases.PROGRAMS),
        ("24.1.2", ["heat-engine"], releases.UWSGI),
        ("24.1.2", ["heat-api", "heat-engine"], releases.UWSGI),
        ("25.0.0", PROGRAMS, releases.UWSGI),
        ("27.0.1", ["heat-engine", "heat-wsgi-api"], releases.UWSGI),
    ],
)
def test_launcher_is_the_programs_as_long_as_heat_ships_them(version, programs, launcher):
    assert releases.launcher(Release.of(version), programs) == launcher


def test_launcher_of_a_heat_without_programs_and_modules_is_refused():
    with pytest.raises(errors.BadInput, match="23.0.0"):
        releases.launcher(Release(23), ["heat-engine"])


def test_bind_host_is_read_as_long_as_the_programs_are_there():
    assert [Release(major).reads_bind_host for major in (20, 24, 25, 27)] == [True, True, False, False]


def test_wsgi_modules_are_heats():
    assert releases.wsgi_module(Service.API) == "heat.wsgi.api:application"
    assert releases.wsgi_module(Service.CFN) == "heat.wsgi.cfn:application"


@pytest.mark.parametrize(
    ("version", "path"),
    [("14.0.0", None), ("16.0.0", "/healthcheck"), ("20.0.0", "/healthcheck"), ("24.1.2", "/healthcheck"),
     ("27.0.1", "/healthcheck")],
)  # fmt: skip
@pytest.mark.parametrize("service", [Service.API, Service.CFN])
@pytest.mark.parametrize("flavor", ["", "standalone", "noauth"])
def test_health_check_is_where_each_releases_own_file_has_it(version, path, service, flavor):
    text = (SAMPLES / f"api-paste-{version}.ini").read_text()

    assert releases.healthcheck_path(text, service, flavor) == path


@pytest.mark.parametrize(
    ("text", "api", "cfn"),
    [
        ("", None, None),
        ("not an ini file", None, None),
        ("[pipeline:heat-api]\npipeline = cors healthcheck app\n", None, None),
        ("[pipeline:heat-api]\npipeline = alive app\n[filter:alive]\npath = /alive\n"
         "paste.filter_factory = oslo_middleware:Healthcheck.factory\n[pipeline:heat-api-cfn]\npipeline = app\n",
         "/alive", None),
        ("[composite:heat-api-cfn]\nuse = egg:Paste#urlmap\n/: x\n/up/: up\n"
         "[app:up]\npaste.app_factory = oslo_middleware:Healthcheck.app_factory\n", None, "/up"),
    ],
)  # fmt: skip
def test_health_check_of_a_changed_file_is_where_that_file_has_it(text, api, cfn):
    assert releases.healthcheck_path(text, Service.API, "") == api
    assert releases.healthcheck_path(text, Service.CFN, "") == cfn


@pytest.mark.parametrize(("processors", "workers"), [(1, 4), (4, 4), (16, 16)])
def test_engine_forks_at_least_four_workers(processors, workers):
    assert releases.default_engine_workers(processors) == workers
