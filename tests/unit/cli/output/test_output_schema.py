"""The published JSON Schema of outputs: made from the types, a schema of its draft, and complete."""

import json

import jsonschema
import published_schema
import pytest

from deployer.cli.output import event_json, output_schema
from deployer.cli.tasks import namespace

MAKE_ANEW = "make it anew: python -m deployer.cli.output.output_schema docs"
PREFLIGHT = {"schema_version": 1, "problems": [], "notes": []}


def published():
    return json.loads(published_schema.PATH.read_text())


def test_published_schema_of_outputs_equals_the_types():
    assert published_schema.PATH.read_text() == output_schema.text(), MAKE_ANEW


def test_published_schema_of_outputs_is_a_schema_of_its_draft():
    jsonschema.Draft202012Validator.check_schema(published())


def test_every_command_and_every_event_has_a_schema():
    ours = {name for name in namespace.task_names if "." not in name}  # a checkout adds those of its lab

    assert set(output_schema.RESULTS) == ours
    assert set(output_schema.EVENTS) == {*event_json.NAMES.values(), event_json.WARNING, event_json.STATUS}


def test_schema_lets_readers_take_fields_that_are_added():
    jsonschema.Draft202012Validator(published()).validate(PREFLIGHT | {"new": 1})


@pytest.mark.parametrize(
    "wrong", [{"new": 1}, {"problems": None}, {"schema_version": 2}], ids=["unnamed field", "wrong type", "version"]
)
def test_check_of_tests_refuses_what_is_not_published(wrong):
    published_schema.check_result("preflight", PREFLIGHT)

    with pytest.raises(jsonschema.ValidationError):
        published_schema.check_result("preflight", PREFLIGHT | wrong)


def test_check_of_tests_refuses_a_field_that_is_gone():
    with pytest.raises(jsonschema.ValidationError):
        published_schema.check_result("preflight", {"schema_version": 1, "problems": []})
