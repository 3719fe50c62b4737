"""What no spec may mean, whatever its form: alone, and together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sturdis.core import spec as specs
from sturdis.core import units
from sturdis.core.spec import Memory, Spec, rules
from sturdis.core.spec import file as specfile
from sturdis.core.spec.cluster import Storage
from tests.core.spec_problems import problems

NO_ENVIRONMENTS = "environments: {}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "memory:\n  maxmemoryPolicy: allkeys-lru\n",
            (
                'line 2: memory.maxmemoryPolicy: "allkeys-lru" is not one of "noeviction": under '
                "another the server may remove BullMQ's keys, jobs and locks alike; noeviction "
                "alone keeps queues right"
            ),
        ),
        (
            "memory:\n  limit: 1Gi\n  maxmemory: 2Gi\n",
            "line 3: memory.maxmemory: 2147483648 bytes are above the limit of 1073741824",
        ),
        (
            "memory:\n  limit: 1Gi\n  maxmemory: 1000Mi\n",
            (
                "line 3: memory.maxmemory: 1000Mi is 97.7 % of the limit: what a rewrite copies "
                "has no room, and the kernel kills the server; at most 90 %, and 60 % is safe"
            ),
        ),
        (
            "memory:\n  limit: 16Mi\n",
            (
                "line 2: memory.limit: 16Mi is too little: an empty server and one rewrite need up "
                "to 15Mi, and data needs room; at least 32Mi"
            ),
        ),
        (
            "memory:\n  maxmemory: 1Mi\n",
            (
                "line 2: memory.maxmemory: 1Mi is too little: an empty server counts up to 2.2Mi "
                "itself; at least 4Mi"
            ),
        ),
        (
            "memory:\n  limit: 0\n",
            "line 2: memory.limit: maxmemory would be 0, which means no limit",
        ),
        (
            "memory:\n  limit: 9999Ei\n",
            "line 2: memory.limit: '9999Ei' is more bytes than a 64-bit server can count",
        ),
        (
            "memory:\n  limit: 100m\n",
            (
                "line 2: memory.limit: '100m' is not a quantity of bytes: m stands for thousandths "
                "of a byte"
            ),
        ),
        (
            NO_ENVIRONMENTS + "storage:\n  size: 1Gi\n",
            (
                "line 3: storage.size: 1Gi is too small for a maxmemory of 614.4Mi: base, "
                "increment and the next base stand side by side; at least 2Gi"
            ),
        ),
        (
            NO_ENVIRONMENTS + "memory:\n  limit: 8Gi\n",
            (
                "line 3: storage.size: 10Gi is too small for a maxmemory of 4.8Gi: base, increment "
                "and the next base stand side by side; at least 15Gi"
            ),
        ),
        (
            "engine:\n  image: example.org:5000/team/redis\n",
            (
                "line 2: engine.image: example.org:5000/team/redis has no tag, which means latest: "
                "another release at every start; name one, or a digest"
            ),
        ),
        (
            "monitoring:\n  exporter:\n    image: oliver006/redis_exporter:latest\n",
            (
                "line 3: monitoring.exporter.image: oliver006/redis_exporter:latest is another "
                "release whenever one appears; name one, or a digest"
            ),
        ),
        (
            "monitoring:\n  exporter: {port: 6379}\n",
            "line 2: monitoring.exporter.port: 6379 is the server's own port, in the same pod",
        ),
        (
            "monitoring:\n  queues:\n  - mail\n  - pay\n  - mail\n",
            'line 5: monitoring.queues.2: "mail" stands twice',
        ),
        (
            "gitops:\n  environment: stga\n",
            'line 2: gitops.environment: "stga" is none of the environments; did you mean "stage"?',
        ),
        (
            "environments:\n  dev: {}\n",
            'line 2: gitops.environment: "prod" is none of the environments; known here: dev',
        ),
    ],
)
def test_what_cannot_hold_is_told_with_its_line_and_reason(text, told):
    assert problems(text) == told


def test_a_password_in_an_address_is_refused_and_not_repeated():
    told = problems("gitops: {repoURL: 'https://me:hunter2@example.org/x.git'}")
    assert "would be in Git" in told
    assert "hunter2" not in told
    assert "hunter2" not in problems("gitops: {repoURL: 'https://me:hunter2 @example.org/x.git'}")
    assert specfile.parse("gitops: {repoURL: 'git@example.org:x.git'}", source="x.yaml")
    assert specfile.parse("gitops: {repoURL: 'ssh://git@example.org:22/x'}", source="x.yaml")


@pytest.mark.parametrize("written", ["Hunter2!", "[Hunter2!]", "12341234"])
def test_a_password_written_for_its_secret_is_refused_and_not_repeated(written):
    told = problems(f"access: {{passwordSecret: {written}}}")
    assert told == (
        "line 1: access.passwordSecret: it names no Secret, and is not repeated here: small "
        "letters, digits, dashes and dots, as Kubernetes names things"
    )


@pytest.mark.parametrize(
    "image",
    [
        "redis:8.0.5",
        "valkey/valkey:9.1.2-alpine",
        "example.org:5000/team/redis:7.0.15",
        f"redis@sha256:{'0' * 64}",
        f"redis:latest@sha256:{'a' * 64}",
    ],
)
def test_an_image_that_stays_the_same_is_accepted(image):
    spec = specfile.parse(f"engine: {{image: '{image}'}}", source="x.yaml")
    assert specs.engine_image(spec) == image


def test_the_image_follows_the_kind_of_engine():
    assert specs.engine_image(Spec()) == "redis:8.0.5"
    valkey = specfile.parse("engine: {kind: valkey}", source="x.yaml")
    assert specs.engine_image(valkey) == "valkey/valkey:9.1.2"


@given(st.integers(1 << 20, 1 << 45), st.integers(0, 1 << 45), st.integers(0, 1 << 46))
def test_a_spec_without_broken_rules_has_room_for_everything(limit, maxmemory, size):
    spec = Spec(memory=Memory(limit=limit, maxmemory=maxmemory or None), storage=Storage(size=size))
    fits = (
        limit >= 32 << 20
        and specs.maxmemory(spec) >= 4 << 20
        and specs.maxmemory(spec) * 10 <= limit * 9
        and size >= 3 * specs.maxmemory(spec)
    )
    assert fits == (not list(rules.broken(spec)))


@given(st.integers(1 << 24, 1 << 45))
def test_the_size_that_a_refusal_names_is_enough(maxmemory):
    small = Spec(memory=Memory(limit=maxmemory * 2, maxmemory=maxmemory), storage=Storage(size=1))
    (told,) = rules.broken(small)
    named = units.parse_bytes(told.what.rsplit(maxsplit=1)[1])
    mended = Spec(memory=small.memory, storage=Storage(size=named))
    assert not list(rules.broken(mended))
    assert named < maxmemory * 3 + (1 << 30)
