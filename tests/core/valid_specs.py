"""Valid specs, any of them: what a sturdis.yaml may say that is then rendered."""

import json
from typing import Any

from hypothesis import strategies as st

from sturdis.core.spec import file as specfile
from sturdis.core.spec.file import SpecFile

NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,12}[a-z0-9])?", fullmatch=True) | st.sampled_from(
    ["redis", "y", "no", "on", "null", "true", "e3"]
)
LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,12}[a-z0-9])?", fullmatch=True) | st.sampled_from(
    ["010", "1e3", "0x1f", "no"]
)
QUEUES = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters=":", include_characters=" "),
    min_size=1,
    max_size=20,
).filter(str.isprintable)
MEMORY = st.sampled_from(["512Mi", "1Gi", "1.5Gi", "1e9", 1073741824, "800M"])
SIZES = st.sampled_from(["20Gi", "30G", "1e11", "1.5Ti", 107374182400])
IMAGES = st.sampled_from(
    ["redis:8.0.5", "registry.local:5000/a/redis:7.0.15", "valkey/valkey:9.1.2",
     "redis@sha256:" + "0" * 64]
)  # fmt: skip

DIFFERING = st.fixed_dictionaries(
    {},
    optional={
        "engine": st.fixed_dictionaries({}, optional={"image": IMAGES}),
        "memory": st.fixed_dictionaries({}, optional={"limit": MEMORY}),
        "persistence": st.fixed_dictionaries({"fsync": st.sampled_from(["everysec", "always"])}),
        "storage": st.fixed_dictionaries({"size": SIZES}, optional={"class": LABELS}),
        "monitoring": st.fixed_dictionaries(
            {},
            optional={
                "serviceMonitor": st.booleans(),
                "rules": st.booleans(),
                "dashboard": st.booleans(),
                "queues": st.lists(QUEUES, max_size=3, unique=True),
                "exporter": st.fixed_dictionaries({"port": st.sampled_from([0, 9121, 9200])}),
                "thresholds": st.fixed_dictionaries({"connections": st.integers(1, 1_000_000)}),
            },
        ),
        "access": st.fixed_dictionaries(
            {}, optional={"passwordSecret": LABELS, "networkPolicy": st.booleans()}
        ),
    },
)
"""What an environment may say, and the base too."""


@st.composite
def files(draw: st.DrawFn) -> SpecFile:
    """Draw a whole sturdis.yaml, as it is read."""
    said: dict[str, Any] = draw(DIFFERING)
    said |= draw(st.fixed_dictionaries({}, optional={"name": NAMES, "namespace": LABELS}))
    said.setdefault("storage", {"size": "20Gi"})
    said["gitops"] = {"repoURL": "ssh://git.local/app.git"}
    if draw(st.booleans()):
        said["environments"] = draw(st.dictionaries(LABELS, DIFFERING, min_size=1, max_size=3))
        said["gitops"]["environment"] = next(iter(said["environments"]))
    return specfile.read(json.dumps(said, ensure_ascii=False), source="sturdis.yaml")
