"""What a verb is aimed at in a cluster, and what to type to reach it again."""

import shlex
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ClusterRequest:
    """The deployment of a spec, in one cluster."""

    context: str
    """Of the kubeconfig."""
    namespace: str | None = None
    """None: that of the spec."""
    spec_file: str | None = None
    environment: str | None = None
    """Where the spec was found, as it was typed."""
    password: str | None = field(default=None, repr=False)
    """Of the user sturdis; None: the one in the Secret that the spec names, if it names one."""
    password_file: str | None = None
    """Where `password` was read."""

    @property
    def cli(self) -> str:
        """Give what to type before a Redis command; it never holds a password."""
        password = {"--password-file": self.password_file}
        return self._typed("cli", {"-n": self.namespace, **self._spec, **password})

    @property
    def apply(self) -> str:
        """Give what to type to bring the cluster to the spec."""
        return self._typed("apply", self._spec)

    @property
    def doctor(self) -> str:
        """Give what to type to ask what is wrong."""
        return self._typed("doctor", {"-n": self.namespace, **self._spec})

    @property
    def grow(self) -> str:
        """Give what to type to bring the volume to the size of the spec."""
        return self._typed("grow", self._spec)

    def kubectl(self, namespace: str) -> str:
        """Give what to type before a command of kubectl."""
        return shlex.join(["kubectl", "--context", self.context, "-n", namespace])

    @property
    def _spec(self) -> dict[str, str | None]:
        return {"--spec": self.spec_file, "--env": self.environment}

    def _typed(self, verb: str, options: dict[str, str | None]) -> str:
        words = ["sturdis", verb, "--context", self.context]
        for option, value in options.items():
            words += [option, value] if value is not None else []
        return shlex.join(words)
