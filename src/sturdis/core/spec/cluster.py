"""What a spec says of a cluster alone: `up` runs without it, on this machine's disk and server."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sturdis.core.spec import forms
from sturdis.core.spec.forms import Bytes, Image, Section, Subdomain

IMAGES = {"redis": "redis:8.0.5", "valkey": "valkey/valkey:9.1.2"}
"""Image by kind of engine: of the newest releases in the test matrix, docs/adr/0010 and 0022."""


class Engine(Section, frozen=True):
    """Which server runs in the cluster."""

    kind: Annotated[
        Literal["redis", "valkey"],
        Meta(
            description="Which server: redis or valkey; both are tested (docs/adr/0010). "
            "Default redis. `up` runs what it finds on this machine: --server."
        ),
    ] = "redis"
    image: Annotated[
        Image | None,
        Meta(
            description="Container image of the server, with a tag or digest that stays: never "
            "`latest` (docs/adr/0022). Default: the newest tested release of its kind."
        ),
    ] = None


class Storage(Section, frozen=True):
    """The volume of the append-only file, in a cluster."""

    storage_class: Annotated[
        Subdomain,
        Meta(
            description="StorageClass of the volume. Default longhorn-replicated: one Redis, so "
            "the storage keeps three copies (docs/adr/0007)."
        ),
    ] = msgspec.field(default="longhorn-replicated", name="class")
    size: Annotated[
        Bytes,
        Meta(
            description="Size of the volume, in bytes, at least 3 times maxmemory: base, "
            "increment and the next base at once; 5 times where writes never pause "
            "(docs/adr/0022). Default 10Gi; 5Gi in the environment stage, 20Gi in prod."
        ),
    ] = "10Gi"


class Access(Section, frozen=True):
    """Who may connect."""

    password_secret: Annotated[
        Subdomain | None,
        Meta(
            description="Secret that holds the password, by name; the password itself is never in "
            "a spec. Default none: whoever reaches the port is let in (docs/adr/0011)."
        ),
    ] = None
    network_policy: Annotated[
        bool,
        Meta(
            description="Whether only pods with the deployment's client label may connect. "
            "Default false: as open as the deployment it stands for (docs/adr/0011)."
        ),
    ] = False


class GitOps(Section, frozen=True):
    """How Argo CD finds the deployment."""

    repo_url: Annotated[
        Annotated[str, Meta(pattern=forms.ONE_WORD, max_length=2048)] | None,
        Meta(
            description="Git repository that Argo CD reads, without a password in it. "
            "Default: the origin of the work tree."
        ),
    ] = msgspec.field(default=None, name="repoURL")
    revision: Annotated[
        str,
        Meta(
            pattern=forms.ONE_WORD,
            max_length=256,
            description="Branch, tag or commit that Argo CD follows. Default main.",
        ),
    ] = "main"
    project: Annotated[
        Subdomain, Meta(description="Argo CD project. Default default, the one that always is.")
    ] = "default"
    environment: Annotated[
        str,
        Meta(
            pattern=forms.DNS_LABEL,
            description="Environment that the Application deploys. Default prod.",
        ),
    ] = "prod"


class Tools(Section, frozen=True):
    """Sturdis itself, in a cluster."""

    image: Annotated[
        Image | None,
        Meta(
            description="Container image of Sturdis, for what needs it beside the server, such as "
            "queue metrics; with a tag or digest that stays. Default none."
        ),
    ] = None
