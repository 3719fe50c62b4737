"""A spec as text: a sturdis.yaml that reads back the same, with every key's meaning and origin."""

import json
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from sturdis.core import spec as specs
from sturdis.core import units
from sturdis.core.spec import Spec, environments
from sturdis.core.spec.environments import Origin, Tree
from sturdis.core.spec.file import SpecFile
from sturdis.core.spec.yamltext import Path

WIDTH = 90
"""Longest line of a comment, in characters."""


def annotated(file: SpecFile, environment: str | None = None) -> str:
    """Write the deployment of `environment`, or the base with its environments, as YAML.

    Above each key stands its meaning; behind a value that is written somewhere, where.

    Raises:
        UsageError: `usage`: there is no such environment.
    """
    deployment = file.deployment(environment)
    lines = list(_section(deployment.spec, deployment.spec, deployment.origins, ()))
    if environment is None:
        lines += _comment(environments.DESCRIPTION, "")
        lines += _tree({environments.KEY: file.overlays}, "")
    else:
        lines += (f"# None: this is the environment {environment} itself.", "environments: {}")
    return "\n".join(lines)


def _section(
    spec: Spec, section: msgspec.Struct, origins: Mapping[Path, Origin], path: Path
) -> Iterator[str]:
    indent = "  " * len(path)
    for field in msgspec.structs.fields(section):
        value = getattr(section, field.name)
        here = (*path, field.encode_name)
        yield from _comment(field.type.__metadata__[-1].description, indent)
        if isinstance(value, msgspec.Struct):
            yield f"{indent}{field.encode_name}:"
            yield from _section(spec, value, origins, here)
        else:
            remark = _remark(spec, here, value, origins)
            yield f"{indent}{field.encode_name}: {_value(value)}{remark}"


def _remark(spec: Spec, path: Path, value: object, origins: Mapping[Path, Origin]) -> str:
    remarks = []
    if value is None and path in _DERIVED:
        remarks.append(_DERIVED[path](spec))
    if path in origins:
        remarks.append(str(origins[path]))
    return f"  # {'; '.join(remarks)}" if remarks else ""


def _tree(tree: Tree, indent: str) -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{_value(key) if _quoted(key) else key}:"
            yield from _tree(value, indent + "  ")
        else:
            yield f"{indent}{_value(key) if _quoted(key) else key}: {_value(value)}"


def _quoted(key: str) -> bool:
    """Tell whether YAML would take a bare key for a number or a truth: on, 1e3, 2026-11-23."""
    return not key.isalpha() or key in ("y", "n", "yes", "no", "on", "off", "true", "false", "null")


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str, indent: str) -> list[str]:
    return [f"{indent}# {line}" for line in textwrap.wrap(text, WIDTH - len(indent))]


_DERIVED: Mapping[Path, Callable[[Spec], str]] = {
    ("memory", "maxmemory"): lambda spec: f"comes to {units.human_bytes(specs.maxmemory(spec))}",
    ("engine", "image"): lambda spec: f"comes to {specs.engine_image(spec)}",
}
"""What a key comes to where it is not written."""
