"""A sturdis.yaml: one deployment and its variations, or every problem in it with its line.

Judged in three turns, each telling all it finds: what YAML would hide (`yamltext`), the form of
keys and values (`schema`), what they mean together (`rules`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sturdis.core.errors import SpecError, UsageError
from sturdis.core.spec import Spec, environments, rules, words, yamltext
from sturdis.core.spec import schema as specschema
from sturdis.core.spec.environments import Deployment, Tree
from sturdis.core.spec.rules import Broken
from sturdis.core.spec.yamltext import Problem, Text

MAX_BYTES = yamltext.MAX_BYTES
"""Longest spec that is read, in bytes."""


@dataclass(frozen=True)
class SpecFile:
    """What a sturdis.yaml says."""

    source: str
    """The file, as messages name it."""
    base: Deployment
    environments: Mapping[str, Deployment]
    overlays: Mapping[str, Tree]
    """What each environment says beside the base."""

    def deployment(self, environment: str | None) -> Deployment:
        """Give the deployment of `environment`; None: the base.

        Raises:
            UsageError: `usage`: there is no such environment.
        """
        if environment is None:
            return self.base
        if environment in self.environments:
            return self.environments[environment]
        close = words.closest(environment, self.environments)
        raise UsageError(
            "usage",
            f"{self.source} has no environment {environment!r}",
            why=f"it has {', '.join(self.environments) or 'none at all'}",
            do=f"did you mean --env {close}?" if close else "name one of them, or leave --env out",
        )


def parse(text: str, *, source: str, environment: str | None = None) -> Spec:
    """Read one deployment out of `text`: that of `environment`, or the base.

    Raises:
        SpecError: `spec.invalid`, naming all problems at once, each with its line.
        UsageError: `usage`: there is no such environment.
    """
    return read(text, source=source).deployment(environment).spec


def read(text: str, *, source: str) -> SpecFile:
    """Read `text`, the content of the file that `source` names.

    Raises:
        SpecError: `spec.invalid`, naming all problems at once, each with its line.
    """
    said, problems = yamltext.read(text)
    problems = problems or specschema.problems(said)
    if not problems:
        file = SpecFile(
            source,
            environments.base(said),
            environments.environments(said),
            {name: environments.overlay(said, name) for name in environments.names(said)},
        )
        problems = list(_broken_rules(file, said))
        if not problems:
            return file
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise SpecError(
        "spec.invalid",
        f"{count} in {source}",
        why="\n".join(map(str, sorted(problems)[: specschema.MOST_PROBLEMS])),
        do=f"mend {source}; `sturdis spec show --spec /dev/null` prints every key with its meaning",
    )


def _broken_rules(file: SpecFile, said: Text) -> Iterator[Problem]:
    """Judge the base, and every environment for what the base alone does not break."""
    names = tuple(file.environments)
    told = set()
    for broken in rules.broken(file.base.spec, names):
        told.add((broken.path, broken.what))
        what = f"{yamltext.dotted(broken.path)}: {broken.what}"
        yield Problem(_line(said, file.base, broken), what)
    for name, deployment in file.environments.items():
        for broken in rules.broken(deployment.spec, names):
            if (broken.path, broken.what) not in told:
                what = _of_environment(name, deployment, broken)
                yield Problem(_line(said, deployment, broken), what)


def _of_environment(name: str, deployment: Deployment, broken: Broken) -> str:
    """Say what is broken by the path where it is written, else by the environment's name."""
    written = deployment.written(broken.path)
    if written and written[0].environment:
        return f"{yamltext.dotted(written[1])}: {broken.what}"
    path = yamltext.dotted(broken.path)
    what = f"in environment {name}, {path}: {broken.what}"
    if not written and broken.path in deployment.origins:
        what += f"; it is {deployment.origins[broken.path]}, write {path} for another"
    return what


def _line(said: Text, deployment: Deployment, broken: Broken) -> int:
    """Give the line of the first value at fault that is written, in the environment if there."""
    paths = (broken.path, *broken.others)
    written = filter(None, map(deployment.written, paths))
    for _origin, path in sorted(written, key=lambda one: not one[0].environment):
        return said.line(path)
    return said.line(paths[-1])
