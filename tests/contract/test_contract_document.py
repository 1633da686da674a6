"""The contract by itself: its examples match its schemas, and the service serves it unchanged."""
import json
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import contract_reader  # noqa: E402

CONTRACT = contract_reader.load()


def examples_of(operation):
    """Returns each example of an operation's bodies and parameters, with its schema: (place, schema, value)."""
    bodies = [("request", operation.body)] if operation.body else []
    for place, body in [*bodies, *operation.responses.items()]:
        for media_type, content in body.get("content", {}).items():
            for number, value in enumerate(contract_reader.examples(content)):
                yield f"{place} {media_type} {number}", content["schema"], value
    yield from described(operation.parameters)


def described(nodes):
    for one in nodes:
        if "example" in one:
            yield one.get("name", ""), one["schema"], one["example"]


def sent_examples(item):
    """Returns each example of a body that a webhook sends."""
    for media_type, content in item["requestBody"]["content"].items():
        for number, value in enumerate(contract_reader.examples(content)):
            yield f"{media_type} {number}", content["schema"], value
    yield from described(item["parameters"])


def examples():
    """Returns all parts of the contract, by their owner."""
    for operation in contract_reader.operations().values():
        yield pytest.param(list(examples_of(operation)), id=operation.id)
    yield pytest.param(list(sent_examples(contract_reader.webhook(CONTRACT))), id="webhook")
    for kind in ("parameters", "headers"):
        yield pytest.param(list(described(CONTRACT["components"][kind].values())), id=kind)
    for name, schema in CONTRACT["components"]["schemas"].items():
        if "examples" in schema:
            yield pytest.param([(name, schema, value) for value in schema["examples"]], id=f"schema-{name}")


@pytest.mark.parametrize("found", examples())
def test_examples_match_their_schemas(found):
    assert [(place, faults) for place, schema, value in found
            if (faults := contract_reader.faults(contract_reader.validator(schema), value))] == []


def test_every_body_has_an_example():
    for operation in contract_reader.operations().values():
        bodies = [("request", operation.body)] if operation.body else []
        for place, body in [*bodies, *operation.responses.items()]:
            for media_type, content in body.get("content", {}).items():
                assert contract_reader.examples(content), (operation.id, place, media_type)


def walk_schemas(node, place=""):
    if isinstance(node, dict):
        yield place, node
        for name, value in node.items():
            yield from walk_schemas(value, f"{place}/{name}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from walk_schemas(value, f"{place}/{number}")


def test_every_reference_resolves():
    for place, node in walk_schemas(CONTRACT):
        if isinstance(node.get("$ref"), str):
            assert contract_reader.resolve(CONTRACT, node), place


def test_every_component_is_used():
    text = contract_reader.CONTRACT_FILE.read_text(encoding="utf-8")
    unused = [f"{kind}/{name}" for kind, components in CONTRACT["components"].items()
              if kind != "securitySchemes" for name in components
              if f"#/components/{kind}/{name}'" not in text]
    assert unused == []


def test_every_operation_documents_its_failures():
    for operation in contract_reader.operations().values():
        expected = {"400", "406", "500", "503"}
        expected |= set() if operation.public else {"401", "403", "429"}
        expected |= {"413", "415"} if operation.body else set()
        assert expected <= set(operation.responses), operation.id


def objects_within(schema):
    """Yields the objects of a schema, including itself."""
    if "properties" in schema:
        yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("oneOf", [])]
    for one in [*inner, *([schema["items"]] if "items" in schema else [])]:
        yield from objects_within(one)


def test_every_property_of_an_answer_is_required():
    for operation in contract_reader.operations().values():
        for status, response in operation.responses.items():
            for media_type, content in response.get("content", {}).items():
                if "cloudevents" in media_type:
                    continue  # optional attributes of CloudEvents
                for one in objects_within(contract_reader.inline(content["schema"])):
                    optional = set(one["properties"]) - set(one.get("required", []))
                    assert not optional, (operation.id, status)


def test_every_request_object_refuses_unknown_members():
    for operation in contract_reader.operations().values():
        for media_type in (one for one in operation.media_types if "json" in one):
            schema = contract_reader.inline(operation.body["content"][media_type]["schema"])
            if operation.id not in ("validateReferral", "pushReferrals"):
                assert schema.get("additionalProperties") is False, operation.id


def served(target):
    for exchange in contract_reader.recorded():
        if exchange["target"] == target and exchange["status"] == 200:
            return exchange["body"]
    return pytest.fail(f"{target} was never served: run tests/integration first")


def as_written(text):
    """Puts the address of the contract's examples in place of the address of the service that served the text."""
    served_from = re.search(r"http://127\.0\.0\.1:[0-9]+", text).group()
    return text.replace(served_from, CONTRACT["servers"][0]["url"])


def test_the_served_yaml_is_the_file_byte_by_byte_apart_from_the_address():
    assert as_written(served("/openapi.yaml")) == contract_reader.CONTRACT_FILE.read_text(encoding="utf-8")


def test_the_served_json_has_the_same_content():
    assert json.loads(as_written(served("/openapi.json"))) == CONTRACT


def test_the_served_catalogue_of_problems_is_that_of_the_contract():
    items = json.loads(served("/v1/problems"))["items"]
    assert [{name: value for name, value in one.items() if name != "type"} for one in items] == (
        CONTRACT["x-problems"])
