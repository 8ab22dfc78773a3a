"""Layers: what names them, and that nothing half built is ever used."""

import pytest

from lab.image import cache, venvs
from lab.image.cache import Layer
from lab.lab_errors import BadInput, HostFailed


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def builds(text="content"):
    """A build function that writes one file."""

    def build(_layer, aside):
        (aside / "layer").mkdir()
        (aside / "layer/file").write_text(text)

    return build


def fails(_layer, aside):
    (aside / "layer").mkdir()
    raise HostFailed("it broke", hint="none")


def test_key_changes_with_recipe_and_with_what_is_beneath():
    beneath, other = Layer("system", ("1",), builds()), Layer("system", ("2",), builds())
    keys = {
        Layer("heat", recipe, builds(), needs).key
        for recipe, needs in [(("a",), (beneath,)), (("b",), (beneath,)), (("a",), (other,))]
    }
    assert len(keys) == 3


def test_layer_is_built_once_and_then_reused():
    layer = Layer("system", ("1",), builds("first"))
    path = cache.ensure(layer)
    assert cache.ensure(Layer("system", ("1",), builds("second"))) == path
    assert (path / "file").read_text() == "first"


def test_failed_build_leaves_nothing_that_could_be_used():
    with pytest.raises(HostFailed):
        cache.ensure(Layer("system", ("1",), fails))
    assert not (cache.root() / "layers").exists()
    assert not list((cache.root() / "building").iterdir())
    assert (cache.ensure(Layer("system", ("1",), builds())) / "file").read_text() == "content"


def test_what_an_interrupted_build_left_is_cleared_first():
    layer = Layer("system", ("1",), builds())
    (cache.root() / "building" / layer.key / "layer").mkdir(parents=True)
    assert (cache.ensure(layer) / "file").exists()


def test_prune_removes_only_old_layers_that_no_lab_uses(monkeypatch):
    old, used, new = (Layer(name, (), builds()) for name in ("old", "used", "new"))
    for layer in (old, used, new):
        cache.ensure(layer)
    monkeypatch.setattr(cache, "KEEP_SECONDS", -60)
    (cache.root() / "used" / new.key).unlink()

    cache.prune([used.path])

    assert [layer.path.exists() for layer in (old, used, new)] == [False, True, True]


def test_release_that_the_lab_has_no_lock_for_is_refused():
    with pytest.raises(BadInput, match=r"23\.0\.0"):
        venvs.heat("23.0.0", Layer("tools", (), builds()))


@pytest.mark.parametrize("name", ["heat-27.0.1", "heat-24.1.2", "keystone", "uwsgi"])
def test_every_package_of_a_lock_has_one_exact_version(name):
    lines = [line for line in venvs.lock(name).read_text().splitlines() if not line.startswith("#")]
    assert lines
    assert all(line.count("==") == 1 and line == line.strip() for line in lines)


def test_releases_from_25_need_uwsgi():
    assert [venvs.needs_uwsgi(release) for release in ("27.0.1", "25.0.0", "24.1.2")] == [True, True, False]
