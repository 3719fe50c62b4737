"""The JSON Schema that editors read, and that it judges as the reader does."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sturdis.core.spec import Spec, environments
from sturdis.core.spec import file as specfile
from sturdis.core.spec import schema as specschema


def test_the_schema_is_a_schema_and_needs_no_address():
    schema = specschema.schema()
    jsonschema_rs.meta.validate(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == "urn:sturdis:spec"
    for name, section in schema["$defs"].items():
        assert section["additionalProperties"] is False, name


def test_every_key_of_the_schema_is_described():
    for name, section in specschema.schema()["$defs"].items():
        for key, value in section["properties"].items():
            nested = value.get("anyOf", [{}])[0]
            assert value.get("description") or nested.get("description"), f"{name}.{key}"


def test_the_defaults_are_in_the_schema_and_hold_to_it():
    schema = specschema.schema()
    whole = schema["$defs"]["Sturdis"]["properties"]
    defaults = {key: value["default"] for key, value in whole.items()}
    assert jsonschema_rs.validator_for(schema).is_valid(defaults)
    file = specfile.read("", source="x.yaml")
    assert defaults == msgspec.to_builtins(file.base.spec) | {"environments": file.overlays}
    written = specfile.read(msgspec.json.encode(defaults).decode(), source="y.yaml")
    assert written.base.spec == file.base.spec == Spec()


WORDS = [
    "", "a", "A", "a-", "-a", "a.b", "a..b", "a" * 52, "a" * 53, "a" * 64, "x:1", "x@y", "a/b:c",
    "1Gi", "5.", ".5Gi", "+1", "-1", "1m", "1e3", "1E", "noeviction", "allkeys-lru", "everysec",
    "no", "valkey", "é", "1" * 70, "redis:latest", "a b", "a" * 300,
]  # fmt: skip
OTHERS: list[Any] = [
    None, True, False, 0, 1, -1, 99, 100, 65535, 65536, 2**63 - 1, 2**63, {}, {"a": 1}, [], ["a"],
    ["a", 1], [None], ["b:c"],
]  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(OTHERS),
    st.lists(st.sampled_from([*WORDS[:8], 1, None]), max_size=3),
)


def trees(kind: type[msgspec.Struct]) -> st.SearchStrategy[dict[str, Any]]:
    """Give mappings with the keys of `kind`, of which a few values are wrong."""
    keys: dict[str, st.SearchStrategy[Any]] = {}
    for field in msgspec.structs.fields(kind):
        inner = environments.section_of(field.type)
        default = field.default
        usual = st.just(default) if isinstance(default, str | int) else st.just(None)
        keys[field.encode_name] = trees(inner) if inner else st.one_of(usual, VALUES)
    strange = st.dictionaries(st.sampled_from(["nmae", "x", ""]), VALUES, max_size=1)
    known = st.fixed_dictionaries({}, optional=keys)
    return st.builds(lambda one, other: one | other, known, st.one_of(st.just({}), strange))


def overlaid(kind: type[msgspec.Struct]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(["prod", "stage", "A", "a_b", "a" * 64, ""])
    some = st.one_of(trees(kind), VALUES)
    return st.one_of(VALUES, st.dictionaries(names, some, max_size=2))


SPECS = st.builds(
    lambda base, other: base | other,
    trees(Spec),
    st.one_of(st.just({}), st.fixed_dictionaries({"environments": overlaid(Spec)})),
)


def read(values: object) -> bool:
    try:
        msgspec.convert(values, environments.whole())
    except msgspec.ValidationError:
        return False
    return True


@given(SPECS)
@settings(deadline=None)
def test_the_schema_and_the_reader_agree(values):
    assert jsonschema_rs.validator_for(specschema.schema()).is_valid(values) == read(values)


def paths(kind: type[msgspec.Struct], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for field in msgspec.structs.fields(kind):
        yield (*path, field.encode_name)
        if inner := environments.section_of(field.type):
            yield from paths(inner, (*path, field.encode_name))


def test_the_schema_and_the_reader_agree_on_every_value_of_every_key():
    schema = jsonschema_rs.validator_for(specschema.schema())
    accepted = Counter[str]()
    for path in paths(Spec):
        for whole_path in (path, ("environments", "prod", *path)):
            for value in [*WORDS, *OTHERS]:
                values: Any = value
                for key in reversed(whole_path):
                    values = {key: values}
                assert schema.is_valid(values) == read(values), values
                accepted[".".join(whole_path)] += read(values)
    never = {key for key, count in accepted.items() if not count}
    assert never == {
        "environments.prod.name",
        "environments.prod.namespace",
        "environments.prod.gitops.environment",
    }
