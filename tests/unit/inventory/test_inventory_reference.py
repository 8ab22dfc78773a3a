"""The published JSON Schema and the tables of fields equal the model, and the schema judges as the reader does."""

import json

import jsonschema
import pytest
from inventory_texts import INVENTORIES, ROOT, a_text, problems

from deployer.inventory import document, reference

PAGE = ROOT / "docs/inventory.md"
SCHEMA = ROOT / "docs/inventory.schema.json"
MAKE_ANEW = "make it anew: python -m deployer.inventory.reference docs"


def plain(text: str) -> object:
    """The values of a text as a JSON Schema validator takes them."""
    return json.loads(json.dumps(document.read(text).root.plain()))


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def test_published_schema_equals_the_model():
    assert SCHEMA.read_text() == reference.schema_text(), MAKE_ANEW


def test_published_schema_is_a_schema_of_its_draft():
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text()))


def test_tables_of_the_page_equal_the_model():
    assert PAGE.read_text() == reference.with_tables(PAGE.read_text()), MAKE_ANEW


def test_first_example_of_the_page_is_a_right_inventory():
    example = PAGE.read_text().split("```yaml\n")[1].split("```")[0]

    assert problems(example) == []
    assert len(example.splitlines()) == 7


@pytest.mark.parametrize("path", INVENTORIES, ids=lambda path: path.stem)
def test_inventory_of_the_checkout_fits_the_published_schema(path):
    validator().validate(plain(path.read_text()))


@pytest.mark.parametrize(
    "text",
    [
        a_text(more="hots: {}\n"),
        a_text(hosts="  hostA: {address: 10.0.0.1, engines: 65}\n"),
        a_text(hosts="  hostA: {address: 10.0.0.1, engines: yes}\n"),
        a_text(hosts="  hostA: {address: 10.0.0.1, api: [1]}\n"),
        a_text(hosts="  hostA: {address: 10.0.0.1, api: [8004, 8004], engines: 1}\n"),
        a_text(hosts="  hostA: {engines: 1}\n"),
        a_text(hosts='  "bad name": {address: 10.0.0.1, engines: 1}\n'),
        a_text(heat="source: hostA, launcher: other"),
        a_text(proxy="host: hostA, timeouts: {client: 10}"),
        a_text(proxy='host: hostA, bind: {api: "host:1"}'),
        a_text().replace("version: 1", "version: 2"),
    ],
)
def test_wrong_inventory_is_refused_by_schema_and_reader_alike(text):
    assert not validator().is_valid(plain(text))
    assert problems(text)


def test_every_field_of_the_model_has_a_description():
    schema = reference.json_schema()
    sections = [schema, *schema["$defs"].values()]

    assert all(section["description"] for section in sections)
    assert len(reference.PLACES) == len(sections)
    assert reference.tables().count("| `") > 60
