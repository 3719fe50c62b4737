"""What is rendered reads the same to every YAML."""

import io

import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from sturdis.core.render import yamltext

WORDS = st.sampled_from(
    ["", "yes", "No", "on", "y", "~", "null", "NULL", "1e3", "0o7", "010", "1_000", "1:30", "0x1F",
     ".5", "-.inf", ".NaN", "true", "2026-11-25", "=", "<<", "a: b", "a #b", " a", "a ", "- a",
     "{}", "[a", "*a", "&a", "!a", "%a", "@a", "`a", "'", '"', "\\", "\t", "a\nb", "a\n", "\na",
     "a \nb", "a\n\n", "é", "\u2028", "\x7f", "\x85", "\ufeff", "null\n", "-", "?", ":", "a:", "e3"]
)  # fmt: skip
STRINGS = WORDS | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    STRINGS | st.booleans() | st.integers(-(1 << 53), 1 << 53),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(STRINGS, below, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(STRINGS, VALUES, max_size=4))
def test_yaml_1_1_and_1_2_read_what_was_written(value):
    text = yamltext.document(value, "A comment.")
    assert yaml.safe_load(text) == value
    assert YAML(typ="safe", pure=True).load(io.StringIO(text)) == value


@given(st.dictionaries(STRINGS, VALUES, max_size=4))
def test_the_same_value_gives_the_same_bytes(value):
    assert yamltext.document(value) == yamltext.document(yaml.safe_load(yamltext.document(value)))


def test_words_that_need_no_quotes_have_none():
    text = yamltext.document({"image": "redis:8.0.5", "path": "/data", "yes": "yes", "on": "1e3"})
    assert text == 'image: redis:8.0.5\npath: /data\n"yes": "yes"\n"on": "1e3"\n'


def test_lines_stay_lines():
    assert yamltext.document({"script": "a\nb\n"}) == "script: |\n  a\n  b\n"
    assert yamltext.document({"long": "word " * 100}).count("\n") == 1


def test_a_stream_is_read_as_its_documents():
    values = [{"a": "1"}, {"b": "2"}]
    assert list(yaml.safe_load_all(yamltext.stream(values))) == values
