"""Kubernetes objects to YAML: the same bytes for the same objects, and one meaning for all readers.

YAML 1.1 and 1.2 read some plain words differently: `yes`, `1e3`, `0o7`. Plain is therefore only
what neither takes for anything but a string; all else is quoted.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import yaml

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./@+-]*(:[A-Za-z0-9_./@+-]+)*")
"""Words that no YAML takes for more than a string, less those of `_RESERVED`."""

_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
"""Words, in small letters, that some YAML reads as a truth, a number or nothing."""

_ENDLESS = 1 << 30
"""Width at which lines are folded: never, so that a search finds what is written."""


Dumper = type[yaml.SafeDumper] | type[yaml.CSafeDumper]


def writer_of(dumper: Dumper) -> Dumper:
    """Give the dumper of the library that quotes as is said above and writes no aliases."""

    class Writer(dumper):  # type: ignore[misc, valid-type]
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the library's signature
            return True

    Writer.add_representer(str, _string)
    return Writer


def _string(writer: Any, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text:
        style = "|"
    elif not _PLAIN.fullmatch(text) or text.lower() in _RESERVED:
        style = '"'
    return cast("yaml.ScalarNode", writer.represent_scalar("tag:yaml.org,2002:str", text, style))


_WRITER = writer_of(getattr(yaml, "CSafeDumper", yaml.SafeDumper))
"""By libyaml, in a tenth of the time, where the library was built with it; the bytes are the same.
"""


def document(
    value: Mapping[str, Any] | list[Any], comment: str = "", *, writer: Dumper = _WRITER
) -> str:
    """Write one document: keys in their order, with a comment of one line above it."""
    text = yaml.dump(
        value, Dumper=writer, sort_keys=False, allow_unicode=True, width=_ENDLESS,
        default_flow_style=False,
    )  # fmt: skip
    return f"# {comment}\n{text}" if comment else text


def stream(values: Iterable[Mapping[str, Any]]) -> str:
    """Write several documents as one text, as kubectl reads it."""
    return "---\n".join(map(document, values))
