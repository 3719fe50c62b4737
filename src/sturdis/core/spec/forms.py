"""The forms that a spec's values have, each with the grammar it comes from."""

from typing import Annotated

import msgspec
from msgspec import Meta

from sturdis.core import units


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A mapping of the spec: unknown keys are refused, values never change."""


DNS_LABEL = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
"""RFC 1123, as Kubernetes accepts a Namespace's name."""

DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
"""RFC 1123, as Kubernetes accepts most names; at most 253 characters."""

SHORT_NAME = "^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$"
"""RFC 1035, as Kubernetes accepts a Service's name, less what it appends to a StatefulSet's."""

IMAGE_REFERENCE = (
    r"^([a-z0-9]([-.a-z0-9]*[a-z0-9])?(:[0-9]{1,5})?/)?"
    r"[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
    r"(:[A-Za-z0-9_][-.A-Za-z0-9_]{0,127})?(@sha256:[0-9a-f]{64})?$"
)
"""The grammar of OCI image references: [HOST[:PORT]/]PATH[:TAG][@DIGEST]."""

ONE_WORD = "^[!-~]+$"
"""ASCII without a blank."""

QUEUE_NAME = "^[^:]+$"
"""BullMQ joins the parts of a key with colons and refuses them in a queue's name."""

Bytes = (
    Annotated[str, Meta(pattern=units.QUANTITY, max_length=units.LONGEST)]
    | Annotated[int, Meta(ge=0, le=units.MAX)]
)
"""A quantity as it is written in the spec; `units.parse_bytes` reads it."""

Image = Annotated[str, Meta(pattern=IMAGE_REFERENCE, max_length=512)]
Subdomain = Annotated[str, Meta(pattern=DNS_SUBDOMAIN, max_length=253)]
