"""Heat's configuration reached every node, only root can change it, and only Heat can read it."""

from looks import PROXY_CONFIG, SOCKET, File


def test_configuration_on_a_node_is_roots_and_read_by_heat_alone(copy, site, look, source_look):
    """Its whole folder is root's, readable by Heat's group and by nobody else."""
    wrong = [
        f"{path} is {file.owner}:{file.group} {file.mode}"
        for path, file in _copies(copy, site, look, source_look)
        if file and (file.owner, file.group, file.mode) != ("root", copy.heat["group"], "640")
    ]
    assert not wrong, "; ".join(wrong)


def test_configuration_on_a_node_is_the_sources(copy, site, look, source_look):
    """Every file of the source is beside it, the same byte for byte."""
    wrong = []
    for path, file in _copies(copy, site, look, source_look):
        original = source_look.files[_at_source(copy, site, path)]
        if file is None:
            wrong.append(f"{path} is missing")
        elif path != copy.heat_conf and file.digest != original.digest:
            wrong.append(f"{path} differs from the source's")
    assert not wrong, "; ".join(wrong)


def test_heat_conf_of_the_source_is_its_own(origin, look):
    """It is there and was not put there by heat-scaleout."""
    assert origin.heat_conf in look.files, f"there is no {origin.heat_conf}"
    assert origin.heat_conf not in look.put_by_us, "the host's ledger says that heat-scaleout wrote it"


def test_configuration_of_the_proxy_is_roots_alone(proxy, look):
    """Its configuration is root's alone."""
    found = _rights(look.files.get(PROXY_CONFIG))
    assert found == "root:root 600", f"{PROXY_CONFIG} is {found}"


def test_configuration_of_the_proxy_is_valid(proxy, look):
    """Its configuration is valid to HAProxy."""
    assert not look.proxy_complaint, look.proxy_complaint


def test_stats_socket_of_the_proxy_is_roots_alone(proxy, look):
    """Its socket is root's alone."""
    found = _rights(look.files.get(SOCKET))
    assert found == "root:root 600", f"{SOCKET} is {found}"


def _copies(copy, site, look, source_look):
    """Each path that the node should have, and the file there, None for one that is missing."""
    folder = site.nodes[site.source].heat["config_dir"]
    for path in source_look.files:
        if path.startswith(f"{folder}/"):
            place = copy.heat["config_dir"] + path.removeprefix(folder)
            yield place, look.files.get(place)


def _at_source(copy, site, path: str) -> str:
    return site.nodes[site.source].heat["config_dir"] + path.removeprefix(copy.heat["config_dir"])


def _rights(file: File | None) -> str:
    return f"{file.owner}:{file.group} {file.mode}" if file else "missing"
