"""Where the size of a volume stands in the rendered tree: what is committed when it changes."""

from sturdis.core import spec as specs
from sturdis.core.render import tree as trees
from sturdis.core.spec.file import SpecFile


def files(file: SpecFile, environment: str | None) -> tuple[str, ...]:
    """Name the files of the tree that carry the size of one deployment, and the sums.

    Args:
        file: The whole spec.
        environment: Which deployment; None: the base.

    Raises:
        UsageError: `usage`: there is no such environment.
    """
    base, own = file.base.spec, file.deployment(environment).spec
    inherits = specs.storage_size(own) == specs.storage_size(base)
    folder = f"{trees.APPS}/{base.name}"
    holder = "base/statefulset.yaml"
    if environment is not None and not inherits:
        holder = f"overlays/{environment}/statefulset.patch.yaml"
    return (f"{folder}/{holder}", trees.sums_path(file))
