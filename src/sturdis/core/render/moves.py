"""What a rendering changes about the servers of a tree that people may have deployed already."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from sturdis.core import upgrade
from sturdis.core.upgrade import Move

BASE = "base/statefulset.yaml"
PATCH = "statefulset.patch.yaml"
OVERLAY = re.compile(r"overlays/(?P<name>[^/]+)/kustomization\.yaml")

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def moves(
    root: str, found: Mapping[str, str], rendered: Mapping[str, str]
) -> Iterator[tuple[str, Move]]:
    """Give each deployment whose server changes, by its folder, and what is known of that.

    Args:
        root: Folder of the deployment in the tree.
        found: What is there: path to text.
        rendered: What is to be there.
    """
    sets = [path for path in rendered if path.endswith((BASE, PATCH))]
    if all(found.get(path) == rendered[path] for path in sets):
        return  # the usual case need not read YAML
    before, after = images(root, found), images(root, rendered)
    for name, image in after.items():
        if name in before and before[name] != image:
            yield name, upgrade.judge(before[name], image)


def images(root: str, tree: Mapping[str, str]) -> dict[str, str]:
    """Give the server's image of the base and of each overlay, by its folder.

    What somebody edited until it is no YAML any more, or none of ours, has none.
    """
    index, base = _of_the_set(tree.get(f"{root}/{BASE}", ""))
    if base is None:
        return {}
    given = {"base": base}
    for path in tree:
        if match := OVERLAY.fullmatch(path.removeprefix(f"{root}/")):
            patch = tree.get(f"{root}/overlays/{match['name']}/{PATCH}", "")
            given[f"overlays/{match['name']}"] = _patched(patch, index) or base
    return given


def _of_the_set(text: str) -> tuple[int, str | None]:
    """Give which container the server is, and its image."""
    try:
        containers = _read(text)["spec"]["template"]["spec"]["containers"]
        for index, one in enumerate(containers):
            if one["name"] == "redis":
                return index, str(one["image"])
    except (KeyError, TypeError, IndexError):
        pass
    return 0, None


def _patched(text: str, index: int) -> str | None:
    path = f"/spec/template/spec/containers/{index}/image"
    try:
        values = [one["value"] for one in _read(text) or () if one.get("path") == path]
    except (KeyError, TypeError, AttributeError):
        return None
    return str(values[-1]) if values else None


def _read(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_LOADER)  # noqa: S506  a safe loader, in C
    except yaml.YAMLError:
        return None
