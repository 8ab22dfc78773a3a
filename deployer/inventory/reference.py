"""The published descriptions of the inventory: its JSON Schema, and the tables of fields in docs/inventory.md.

`python -m deployer.inventory.reference docs` writes both anew.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from deployer.inventory import values
from deployer.inventory.sections import Document
from deployer.model.wire import Json

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BEGIN, END = "<!-- fields: begin -->", "<!-- fields: end -->"

# Where each section stands in the file, in the order in which the tables show them.
PLACES = {
    "Document": "The file",
    "Ssh": "`ssh`",
    "Heat": "`heat`",
    "ApiTls": "`heat.tls`",
    "Proxy": "`proxy`",
    "ProxyBind": "`proxy.bind`",
    "Timeouts": "`proxy.timeouts`",
    "HealthCheck": "`proxy.check`",
    "Tls": "`proxy.tls`",
    "BackendTls": "`proxy.backend_tls`",
    "Stats": "`proxy.stats`",
    "Verify": "`verify`",
    "HostEntry": "`hosts.<name>`",
    "HostSsh": "`hosts.<name>.ssh`",
    "HostHeat": "`hosts.<name>.heat`",
}
INHERITS = {"HostSsh": "Ssh", "HostHeat": "Heat"}


def json_schema() -> dict[str, Json]:
    """Return the JSON Schema of an inventory file."""
    schema = Document.model_json_schema()
    for section, site_wide in INHERITS.items():
        for name, field in schema["$defs"][section]["properties"].items():
            _inherit(field, name in schema["$defs"][site_wide]["properties"])
    return {"$schema": DIALECT, **schema, "title": "Inventory of heat-scaleout"}


def schema_text() -> str:
    """Return the JSON Schema as the text of docs/inventory.schema.json."""
    return json.dumps(json_schema(), indent=2) + "\n"


def with_tables(page: str) -> str:
    """Return the text of docs/inventory.md with its tables of fields made anew."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def tables() -> str:
    """Return a heading and a table for every section."""
    schema = json_schema()
    sections = {"Document": schema, **schema["$defs"]}
    return "\n".join(line for name in PLACES for line in _table(name, sections))


def _inherit(field: dict[str, Json], is_site_wide: bool) -> None:
    """A host's own field has no default of its own: left out, the site's counts."""
    if is_site_wide:
        field.pop("default", None)


def _table(name: str, sections: Mapping[str, Json]) -> Iterator[str]:
    section = sections[name]
    yield f"### {PLACES[name]}\n\n{section['description']}\n"
    yield "| field | value | default | meaning |\n|---|---|---|---|"
    for key, field in section["properties"].items():
        cells = (f"`{key}`", _value(field), _default(name, key, section, field), _meaning(field, sections))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _meaning(field: Mapping[str, Json], sections: Mapping[str, Json]) -> str:
    """Return a field's description; pydantic leaves it out where it equals that of the section."""
    return field.get("description") or sections[_section(field)]["description"]


def _section(field: Mapping[str, Json]) -> str:
    return field["$ref"].rpartition("/")[2]


def _default(name: str, key: str, section: Mapping[str, Json], field: Mapping[str, Json]) -> str:
    if key in section.get("required", ()):
        return "**required**"
    if name in INHERITS and "default" not in field:
        return "the site's"
    return f"`{field['default']}`" if field.get("default") is not None else "-"


def _value(field: Mapping[str, Json]) -> str:
    """Return a description of what a field takes, given its part of the JSON Schema."""
    choices = [choice for choice in field.get("anyOf", field.get("oneOf", ())) if choice.get("type") != "null"]
    if choices:
        return ", or ".join(_value(choice) for choice in choices)
    if "$ref" in field:
        return f"a section, see {PLACES[_section(field)]}"
    if "const" in field or "enum" in field:
        return ", ".join(f"`{choice}`" for choice in field.get("enum", [field.get("const")]))
    return _plain_value(field)


def _plain_value(field: Mapping[str, Json]) -> str:
    if field["type"] == "array":
        return f"a list of ports, each {_limits(field['items'])}"
    kinds = {
        "integer": f"a whole number, {_limits(field)}",
        "number": f"a number, {_limits(field)}",
        "boolean": "`true` or `false`",
        "string": values.MEANING.get(field.get("pattern", ""), "a text"),
        "object": "names of hosts with their sections, see `hosts.<name>`",
    }
    return kinds[field["type"]]


def _limits(field: Mapping[str, Json]) -> str:
    return f"{field.get('minimum')} to {field.get('maximum')}"


def write(folder: Path) -> None:
    """Write both descriptions into a folder that has the page already."""
    page = folder / "inventory.md"
    page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "inventory.schema.json").write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
