"""What was typed to name a deployment and its cluster, put into every command that is suggested.

A command that drops it would act on another deployment, or in another cluster.
"""

import re
import shlex
from dataclasses import dataclass, replace

OURS = re.compile(r"\bsturdis (apply|grow|verify|doctor|render)\b(?! --context| --spec)")
KUBECTL = re.compile(r"\bkubectl (?!--context|config )(?=[a-z-])")
"""Commands in a text, where they do not name a deployment or a context already."""

WITHOUT_CLUSTER = "render"


@dataclass(frozen=True)
class Typed:
    """The options behind a verb."""

    context: str | None = None
    """None: the current one of the kubeconfig."""
    spec_file: str | None = None
    environment: str | None = None

    def at(self, kubectl: str) -> "Typed":
        """Name the context that was found to be meant; `kubectl` is a plan's."""
        words = shlex.split(kubectl)
        return replace(self, context=words[words.index("--context") + 1])

    def command(self, verb: str, *more: str) -> str:
        """Give a whole command of ours."""
        return self.completed(shlex.join(["sturdis", verb, *more]))

    def completed(self, text: str) -> str:
        """Give a text in which each command says which deployment and cluster is meant."""
        text = OURS.sub(lambda found: found[0] + self._options(found[1]), text)
        if self.context is None:
            return text
        return KUBECTL.sub(
            lambda found: f"{found[0]}--context {shlex.quote(self.context or '')} ", text
        )

    def _options(self, verb: str) -> str:
        context = None if verb == WITHOUT_CLUSTER else self.context
        options = {"--context": context, "--spec": self.spec_file, "--env": self.environment}
        return "".join(f" {key} {shlex.quote(word)}" for key, word in options.items() if word)
