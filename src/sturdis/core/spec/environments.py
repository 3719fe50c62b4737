"""Environments: what differs from the base in stage, in prod, or wherever else one deploys.

An environment says only what differs, as a Kustomize overlay does: mappings are merged, a value or
a list replaces the base's, null takes back what the base says. A value is the one written for the
environment, else the one written in the base, else the environment's default, else the default:
what is written always wins over what is not; docs/adr/0022.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import GenericAlias
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sturdis.core.spec import Spec, forms
from sturdis.core.spec.forms import Section
from sturdis.core.spec.yamltext import Path, Text

Tree = Mapping[str, Any]
"""Keys to values or further trees, as YAML gives them."""

KEY = "environments"

DEFAULTS: Mapping[str, Tree] = {
    "stage": {"storage": {"size": "5Gi"}},
    "prod": {"storage": {"size": "20Gi"}},
}
"""The environments where none are written: those of the deployment."""

SAME_EVERYWHERE: Mapping[Path, str] = {
    ("name",): "clients find the deployment by it",
    ("namespace",): "clients find the deployment by it",
    ("gitops", "environment"): "it says which of them is deployed",
    (KEY,): "an environment has no environments",
}
"""What an environment cannot change, and why."""

DESCRIPTION = (
    "What differs from the above, by environment; `--env` chooses one. Mappings are merged, a "
    "value or list replaces, null takes back what the base says. Default: stage and prod, with "
    "5Gi and 20Gi of storage, unless storage.size is written (docs/adr/0022)."
)


@dataclass(frozen=True)
class Origin:
    """Where a value is written."""

    path: Path
    """As in the file: below `environments` for what an environment says."""
    line: int
    """From 1; 0: nowhere, it is the environment's default."""
    environment: str = ""
    """Whose it is; empty: the base's."""

    def __str__(self) -> str:
        if not self.environment:
            return f"from the base, line {self.line}"
        if not self.line:
            return f"the default of {self.environment}"
        return f"from {KEY}.{self.environment}, line {self.line}"


@dataclass(frozen=True)
class Deployment:
    """What a file says of one deployment: the values, and where the written ones stand."""

    spec: Spec
    origins: Mapping[Path, Origin]

    def written(self, path: Path) -> tuple[Origin, Path] | None:
        """Find where the value at `path` is written, and its own path in the file.

        They differ for part of a list, whose origin is the list's.
        """
        for length in range(len(path), 0, -1):
            origin = self.origins.get(path[:length])
            if origin and origin.line:
                return origin, (*origin.path, *path[length:])
        return None


def base(text: Text) -> Deployment:
    """Give the deployment without any environment.

    Raises:
        msgspec.ValidationError: The text does not have the form of `whole`.
    """
    written = _without(text.plain, KEY)
    origins = {path: Origin(path, text.line(path)) for path, _value in leaves(written)}
    return Deployment(msgspec.convert(written, Spec), origins)


def environments(text: Text) -> Mapping[str, Deployment]:
    """Give each environment's deployment: those written, else stage and prod.

    Raises:
        msgspec.ValidationError: The text does not have the form of `whole`.
    """
    return {name: _environment(text, name) for name in names(text)}


def names(text: Text) -> Sequence[str]:
    """Name the environments that `text` has."""
    return tuple(text.plain.get(KEY, DEFAULTS))


def overlay(text: Text, name: str) -> Tree:
    """Give what environment `name` says in effect: as written, over its default."""
    default = _unwritten(DEFAULTS.get(name, {}), text.plain)
    return _merged(default, text.plain.get(KEY, {}).get(name, {}))


def _environment(text: Text, name: str) -> Deployment:
    written: Tree = text.plain.get(KEY, {}).get(name, {})
    said = dict(leaves(written))
    from_base = _pruned(_without(text.plain, KEY), {path for path in said if said[path] is None})
    origins = {path: Origin(path, 0, name) for path, _value in leaves(DEFAULTS.get(name, {}))}
    origins |= {path: Origin(path, text.line(path)) for path, _value in leaves(from_base)}
    for path, value in said.items():
        if value is not None:
            whole_path = (KEY, name, *path)
            origins[path] = Origin(whole_path, text.line(whole_path), name)
    plain = _merged(_merged(DEFAULTS.get(name, {}), from_base), _pruned(written, None))
    return Deployment(msgspec.convert(plain, Spec), origins)


def leaves(tree: Tree, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Give every value of a tree with its path; a list is one value."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _merged(under: Tree, over: Tree) -> dict[str, Any]:
    both = dict(under)
    for key, value in over.items():
        below = both.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            both[key] = _merged(below, value)
        else:
            both[key] = value
    return both


def _unwritten(default: Tree, written: Tree) -> dict[str, Any]:
    """Give what of `default` is not written: a default gives way to it."""
    left = {}
    for key, value in default.items():
        if isinstance(value, Mapping):
            left[key] = _unwritten(value, written.get(key, {}))
        elif key not in written:
            left[key] = value
    return left


def _pruned(tree: Tree, paths: set[Path] | None, path: Path = ()) -> dict[str, Any]:
    """Give `tree` without the values at `paths`; None: without those that are null."""
    left = {}
    for key, value in tree.items():
        here = (*path, key)
        if isinstance(value, Mapping):
            left[key] = _pruned(value, paths, here)
        elif (value is not None) if paths is None else (here not in paths):
            left[key] = value
    return left


def _without(tree: Tree, key: str) -> dict[str, Any]:
    return {one: value for one, value in tree.items() if one != key}


@cache
def whole() -> type[msgspec.Struct]:
    """Give the type of a whole sturdis.yaml: a spec, and what differs by environment."""
    name = Annotated[str, Meta(pattern=forms.DNS_LABEL)]
    by_name = GenericAlias(dict, (name, _overlay_of(Spec)))
    described = Meta(description=DESCRIPTION, extra_json_schema={"default": DEFAULTS})
    field = (KEY, Annotated[by_name, described] | UnsetType, UNSET)
    return msgspec.defstruct(
        "Sturdis", [field], bases=(Spec,), frozen=True, forbid_unknown_fields=True
    )


def _overlay_of(section: type[msgspec.Struct], path: Path = ()) -> type[msgspec.Struct]:
    """Give the type of what an environment may say of `section`: any of it, and null."""
    fields = []
    for field in msgspec.structs.fields(section):
        here = (*path, field.encode_name)
        if here in SAME_EVERYWHERE:
            continue
        inner = section_of(field.type)
        meaning = field.type.__metadata__[-1]
        kind = Annotated[_overlay_of(inner, here), meaning] if inner else field.type | None
        default = msgspec.field(default=UNSET, name=field.encode_name)
        fields.append((field.name, kind | UnsetType, default))
    return msgspec.defstruct(f"{section.__name__}Overlay", fields, bases=(Section,), frozen=True)


def section_of(annotated: Any) -> type[msgspec.Struct] | None:
    """Give the section that a field holds, where it holds one."""
    kind = annotated.__origin__
    return kind if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else None
