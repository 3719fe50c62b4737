"""What an environment changes, what it keeps, and how its problems are told."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sturdis.core.errors import SpecError, UsageError
from sturdis.core.spec import file as specfile
from sturdis.core.spec import show as specshow
from sturdis.core.spec.file import SpecFile
from tests.core.spec_problems import problems


def read(text: str) -> SpecFile:
    return specfile.read(text, source="x.yaml")


def sizes(text: str) -> dict[str, str | int]:
    file = read(text)
    by_name = {name: one.spec.storage.size for name, one in file.environments.items()}
    return {"base": file.base.spec.storage.size} | by_name


def test_without_environments_those_of_the_deployment_hold():
    assert sizes("") == {"base": "10Gi", "stage": "5Gi", "prod": "20Gi"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("environments: {}", {"base": "10Gi"}),
        ("environments: {prod: {}}", {"base": "10Gi", "prod": "20Gi"}),
        ("storage: {size: 50Gi}", {"base": "50Gi", "stage": "50Gi", "prod": "50Gi"}),
        (
            "environments: {prod: {storage: {size: 7Gi}}, dev: {}}",
            {"base": "10Gi", "prod": "7Gi", "dev": "10Gi"},
        ),
        (
            (
                "storage: {size: 50Gi}\nenvironments: {prod: {storage: {size: null}}, dev: "
                "{storage: {size: null}}}"
            ),
            {"base": "50Gi", "prod": "20Gi", "dev": "10Gi"},
        ),
    ],
)
def test_what_is_written_wins_over_what_is_not(text, expected):
    if "prod" not in expected:
        text += "\ngitops: {environment: prod}"
    assert sizes(text) == expected


def test_mappings_are_merged_and_values_and_lists_replaced():
    file = read("""
memory: {limit: 2Gi, maxmemory: 1Gi}
monitoring: {queues: [a, b], exporter: {port: 9122}}
environments:
  prod:
    memory: {limit: 4Gi}
    monitoring: {queues: [c], thresholds: {connections: 500}}
""")
    base, prod = file.base.spec, file.deployment("prod").spec
    assert (prod.memory.limit, prod.memory.maxmemory) == ("4Gi", "1Gi")
    assert (prod.monitoring.queues, prod.monitoring.exporter.port) == (("c",), 9122)
    assert prod.monitoring.thresholds.connections == 500
    assert (base.memory.limit, base.monitoring.queues) == ("2Gi", ("a", "b"))
    assert base.monitoring.thresholds.connections == 100


def test_null_takes_back_what_the_base_says():
    file = read("""
persistence: {fsync: always}
access: {passwordSecret: redis-password}
environments:
  prod: {persistence: {fsync: null}, access: {passwordSecret: null}}
""")
    prod = file.deployment("prod").spec
    assert (prod.persistence.fsync, prod.access.password_secret) == ("everysec", None)
    assert file.base.spec.access.password_secret == "redis-password"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "environments:\n  prod:\n    storage:\n      size: 5Gx\n",
            (
                "line 4: environments.prod.storage.size: '5Gx' is not a quantity of bytes such as "
                "512Mi or 1.5Gi"
            ),
        ),
        (
            "environments:\n  prod:\n    storage:\n      sise: 5Gi\n",
            'line 4: environments.prod.storage: unknown key "sise"; did you mean "size"?',
        ),
        (
            "environments:\n  prod:\n    nothing: null\n",
            (
                'line 3: environments.prod: unknown key "nothing"; known here: access, engine, '
                "gitops, memory, monitoring, persistence, storage, tools"
            ),
        ),
        (
            "environments:\n  prod:\n    name: other\n",
            (
                'line 3: environments.prod: "name" cannot differ between environments: clients '
                "find the deployment by it"
            ),
        ),
        (
            "environments:\n  prod:\n    namespace: other\n",
            (
                'line 3: environments.prod: "namespace" cannot differ between environments: '
                "clients find the deployment by it"
            ),
        ),
        (
            "environments:\n  prod:\n    environments: {}\n",
            (
                'line 3: environments.prod: "environments" cannot differ between environments: an '
                "environment has no environments"
            ),
        ),
        (
            "environments:\n  prod:\n    gitops:\n      environment: stage\n",
            (
                'line 4: environments.prod.gitops: "environment" cannot differ between '
                "environments: it says which of them is deployed"
            ),
        ),
        (
            "environments:\n  Prod: {}\n",
            (
                'line 2: environments: "Prod" is no name for one: small letters, digits and dashes '
                "between them, at most 63 characters"
            ),
        ),
        (
            "environments:\n  prod:\n",
            (
                "line 2: environments.prod: nothing is written for it: give it keys, write {}, or "
                "leave it out"
            ),
        ),
        (
            "environments:\n  prod:\n    storage:\n",
            (
                "line 3: environments.prod.storage: nothing is written for it: give it keys, write "
                "{}, or leave it out"
            ),
        ),
        ("environments: [prod]\n", 'line 1: environments: ["prod"] is not of type "object"'),
        (
            "archive: {}\n",
            (
                'line 1: "archive" is not understood yet: it comes later: this release ships '
                "nothing to object storage, and a key that nothing acts on would look like a copy "
                "that is not there"
            ),
        ),
        (
            "environments:\n  prod:\n    storage:\n      size: 1Gi\n",
            (
                "line 4: environments.prod.storage.size: 1Gi is too small for a maxmemory of "
                "614.4Mi: base, increment and the next base stand side by side; at least 2Gi"
            ),
        ),
        (
            "storage:\n  size: 10Gi\nenvironments:\n  prod:\n    memory:\n      limit: 8Gi\n",
            (
                "line 6: in environment prod, storage.size: 10Gi is too small for a maxmemory of "
                "4.8Gi: base, increment and the next base stand side by side; at least 15Gi"
            ),
        ),
        (
            "memory:\n  limit: 4Gi\n",
            (
                "line 2: in environment stage, storage.size: 5Gi is too small for a maxmemory of "
                "2.4Gi: base, increment and the next base stand side by side; at least 8Gi; it is "
                "the default of stage, write storage.size for another"
            ),
        ),
    ],
)
def test_a_problem_of_an_environment_names_it_and_its_line(text, told):
    assert problems(text) == told


def test_a_problem_of_the_base_is_told_once_and_not_for_every_environment():
    assert problems("storage: {size: 1Mi}\n").count("\n") == 0


def test_an_environment_that_is_not_there_is_told_of_with_those_that_are():
    with pytest.raises(UsageError) as refusal:
        read("").deployment("pord")
    assert refusal.value.what == "x.yaml has no environment 'pord'"
    assert refusal.value.why == "it has stage, prod"
    assert refusal.value.do == "did you mean --env prod?"
    with pytest.raises(UsageError, match="has no environment"):
        specfile.parse("environments: {}", source="x.yaml", environment="prod")


def test_what_is_shown_says_where_each_value_is_written():
    file = read("""memory:
  limit: 2Gi
persistence: {fsync: always}
environments:
  prod:
    memory:
      limit: 4Gi
    monitoring: {queues: [mail]}
""")
    prod = specshow.annotated(file, "prod").splitlines()
    assert '  limit: "4Gi"  # from environments.prod, line 7' in prod
    assert '  fsync: "always"  # from the base, line 3' in prod
    assert '  queues: ["mail"]  # from environments.prod, line 8' in prod
    assert '  size: "20Gi"  # the default of prod' in prod
    assert '  class: "longhorn-replicated"' in prod
    assert "  maxmemory: null  # comes to 2.4Gi" in prod
    assert '  limit: "2Gi"  # from the base, line 2' in specshow.annotated(file).splitlines()


MEMORY = {"limit": st.sampled_from(["64Mi", "1.5G", 1 << 30, "1e9", "+2Gi", "2.Gi"])}
SECTIONS = {
    "memory": st.fixed_dictionaries({}, optional=MEMORY),
    "persistence": st.fixed_dictionaries({}, optional={"fsync": st.sampled_from(["always"])}),
    "storage": st.fixed_dictionaries(
        {}, optional={"size": st.sampled_from(["12Gi", "1Ti"]), "class": st.just("fast.disk")}
    ),
    "monitoring": st.fixed_dictionaries(
        {},
        optional={
            "queues": st.lists(st.sampled_from(["a", "é", "no", "1e3", '"', "🐂"]), unique=True),
            "exporter": st.fixed_dictionaries({}, optional={"port": st.integers(0, 6378)}),
            "rules": st.booleans(),
        },
    ),
}
BASE = st.fixed_dictionaries(
    {}, optional={"name": st.from_regex(r"[a-z]([-a-z0-9]{0,50}[a-z0-9])?", fullmatch=True)}
    | SECTIONS,
)  # fmt: skip


def with_nulls(section: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return section.flatmap(
        lambda keys: st.fixed_dictionaries(
            {
                key: st.just(value) if isinstance(value, dict) else st.sampled_from([value, None])
                for key, value in keys.items()
            }
        )
    )


OVERLAY = st.fixed_dictionaries(
    {}, optional={name: with_nulls(section) for name, section in SECTIONS.items()}
)
FILES = st.builds(
    lambda base, overlays: base | overlays,
    BASE,
    st.one_of(
        st.just({}),
        st.dictionaries(st.sampled_from(["stage", "on", "1e3", "x-1"]), OVERLAY).map(
            lambda overlays: {"environments": {"prod": {}} | overlays}
        ),
    ),
)


@given(FILES)
@settings(deadline=None)
def test_what_is_shown_reads_back_as_the_same_deployments(values):
    try:
        file = read(msgspec.json.encode(values).decode())
    except SpecError as refusal:
        assert "too small" in refusal.why  # noqa: PT017  the rest of what is generated holds
        return
    shown = specfile.read(specshow.annotated(file), source="shown")
    assert shown.base.spec == file.base.spec
    assert {name: one.spec for name, one in shown.environments.items()} == {
        name: one.spec for name, one in file.environments.items()
    }
    for name, one in file.environments.items():
        alone = specfile.read(specshow.annotated(file, name), source="shown")
        assert alone.base.spec == one.spec
        assert not alone.environments
