import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core import spec as specs
from sturdis.core.errors import SpecError
from sturdis.core.spec import Spec
from sturdis.core.spec import file as specfile
from tests.core.spec_problems import problems


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "memory: {}\n"])
def test_an_empty_spec_is_the_deployment(text):
    assert specfile.parse(text, source="x.yaml") == Spec()


def test_the_defaults_are_the_deployment():
    spec = Spec()
    assert spec.name == "redis"
    assert spec.persistence.fsync == "everysec"
    assert spec.monitoring.exporter.port == 9121
    assert specs.memory_limit(spec) == 1 << 30
    assert specs.maxmemory(spec) == (1 << 30) * 60 // 100


def test_every_key_can_be_set():
    text = """
name: queues
memory: {limit: 2Gi, maxmemory: 1Gi}
persistence: {fsync: always}
monitoring: {exporter: {port: 9122}}
"""
    spec = specfile.parse(text, source="x.yaml")
    assert (spec.name, spec.persistence.fsync) == ("queues", "always")
    assert (specs.memory_limit(spec), specs.maxmemory(spec)) == (2 << 30, 1 << 30)
    assert spec.monitoring.exporter.port == 9122


def test_a_misspelt_key_is_named_with_its_line_and_a_suggestion():
    assert problems("persistance: {}\n") == (
        'line 1: unknown key "persistance"; did you mean "persistence"?'
    )


def test_all_problems_are_told_at_once_in_the_order_of_their_lines():
    text = "nmae: redis\nmemory:\n  limit: 5Gx\n  max: 1\npersistence:\n  fsync: sometimes\n"
    lines = problems(text).splitlines()
    assert [line.split(":")[0] for line in lines] == ["line 1", "line 3", "line 4", "line 6"]
    assert 'did you mean "name"?' in lines[0]
    assert "5Gx" in lines[1]
    assert '"max"' in lines[2]
    assert '"always" or "everysec"' in lines[3]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("persistence: {fsync: no}", "quote the word"),
        ("name: Redis_1", "does not match"),
        ("name: 7", 'not of type "string"'),
        ("memory: 7", 'not of type "object"'),
        ("memory:\n", "memory: nothing is written for it: give it keys, write {}, or leave it out"),
        ("- name: redis", 'not of type "object"'),
        ("redis", 'not of type "object"'),
        ("memory: {limit: 1.5}", "not a quantity"),
        ("memory: {limit: true}", "true"),
        ("memory: {limit: 0}", "means no limit"),
        ("memory: {maxmemory: 0}", "means no limit"),
        ("memory: {limit: 1Gi, maxmemory: 2Gi}", "above the limit"),
        ("memory: {limit: 9999Ei}", "64-bit"),
        ("monitoring: {exporter: {port: 65536}}", "65535"),
        ("monitoring: {exporter: {port: -1}}", "minimum of 0"),
        ("name: a\nname: b", '"name" stands twice, first in line 1'),
        ("1: 2", "plain word"),
        ("? [a]\n: b", "plain word"),
        ("a: &x 1\nb: *x", "aliases"),
        ("name: [", "not a spec in YAML"),
        ("name: a\n---\nname: b", "another document"),
        ("name: 2026-11-23", "takes '2026-11-23' for a timestamp"),
        ("name: 2026-99-99", "timestamp"),
        ("name: !!binary aGk=", "binary"),
        ("memory: {limit: 010}", "not decimal"),
        ("memory: {limit: 1_000}", "not decimal"),
        ("monitoring: {exporter: {port: 0x2391}}", "not decimal"),
        (
            "monitoring: {exporter: {port: 9121.0}}",
            "monitoring.exporter.port: 9121.0 is no whole number as written: quote it",
        ),
        ('name: "redis\\n"', "line break"),
        ('memory: {limit: "1Gi\\n"}', "line break"),
        ("name: \x00", "unacceptable character"),
        ("name: !!python/object:os.system x", "no value here"),
        ("[" * 5000, "not a spec in YAML"),
        ("memory: !!set {limit}", "a set is no value here"),
        ('name: "\\ud800"', "half of a character"),
        ("zzz: 1", "known here: access, engine, environments, gitops, memory, monitoring, name"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(text, told):
    assert told in problems(text)


@given(st.text(alphabet=st.sampled_from("abnmeory:{}[]&*!|>-?,#'\"% \n\t019.~<=é"), max_size=60))
def test_any_text_gives_a_spec_or_problems_with_lines(text):
    try:
        spec = specfile.parse(text, source="x.yaml")
    except SpecError as refusal:
        assert all(line.startswith("line ") for line in refusal.why.splitlines())  # noqa: PT017
    else:
        assert specs.maxmemory(spec) > 0


def test_every_key_is_described():
    def described(kind: msgspec.inspect.StructType) -> None:
        for field in kind.fields:
            assert isinstance(field.type, msgspec.inspect.Metadata), field.encode_name
            assert (field.type.extra_json_schema or {}).get("description"), field.encode_name
            if isinstance(field.type.type, msgspec.inspect.StructType):
                described(field.type.type)

    kind = msgspec.inspect.type_info(Spec)
    assert isinstance(kind, msgspec.inspect.StructType)
    described(kind)
