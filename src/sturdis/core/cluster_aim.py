"""What a verb is aimed at in a cluster, and what to type to reach it again."""

import shlex
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class ClusterRequest:
    """The deployment of a spec, in one cluster."""

    context: str | None = None
    """Of the kubeconfig; None: the current one."""
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
        return self._typed("cli", self._where | self._spec | self._password)

    @property
    def verify(self) -> str:
        """Give what to type to check it; it never holds a password."""
        return self._typed("verify", self._where | self._spec | self._password)

    @property
    def doctor(self) -> str:
        """Give what to type to ask what is wrong; it never holds a password."""
        return self._typed("doctor", self._where | self._spec | self._password)

    @property
    def apply(self) -> str:
        """Give what to type to bring the cluster to the spec."""
        return self._by_the_spec("apply")

    @property
    def grow(self) -> str:
        """Give what to type to bring the volume to the size of the spec."""
        return self._by_the_spec("grow")

    def kubectl(self, namespace: str) -> str:
        """Give what to type before a command of kubectl."""
        return kubectl(self.context, namespace)

    def of_spec(self, namespace: str) -> "ClusterRequest":
        """Give the same without a namespace of its own where the spec names that one too."""
        return replace(self, namespace=None) if self.namespace == namespace else self

    def _by_the_spec(self, verb: str) -> str:
        """Give what to type before a verb that changes what the spec names, and nothing else."""
        typed = self._typed(verb, self._spec)
        if self.namespace is None:
            return typed
        return f"with namespace: {self.namespace} in the spec, {typed}"

    @property
    def _where(self) -> dict[str, str | None]:
        return {"-n": self.namespace}

    @property
    def _spec(self) -> dict[str, str | None]:
        return {"--spec": self.spec_file, "--env": self.environment}

    @property
    def _password(self) -> dict[str, str | None]:
        return {"--password-file": self.password_file}

    def _typed(self, verb: str, options: dict[str, str | None]) -> str:
        words = ["sturdis", verb]
        for option, value in ({"--context": self.context} | options).items():
            words += [option, value] if value is not None else []
        return shlex.join(words)


def kubectl(context: str | None, namespace: str = "") -> str:
    """Give what to type before a command of kubectl; without a namespace, for what has none."""
    words = ["kubectl"]
    words += ["--context", context] if context else []
    words += ["-n", namespace] if namespace else []
    return shlex.join(words)
