"""`apply` and the namespace: not there yet, not to be seen, not to be changed."""

from collections.abc import Iterator

import pytest

from tests.cluster.applying import Applying, changed
from tests.cluster.deployments import grant
from tests.cluster.machine.places import LIMITED

EVERYTHING = ["get", "list", "watch", "create", "patch"]
KINDS = ("configmaps", "services", "statefulsets", "pods", "persistentvolumeclaims")
LABEL = "app.kubernetes.io/name"
PLAIN = {"monitoring": {"serviceMonitor": False, "rules": False}}


@pytest.fixture
def applying(cluster, namespace, tmp_path) -> Iterator[Applying]:
    """Give a spec whose namespace is not there yet."""
    found = Applying(cluster, f"{namespace}-own", tmp_path)
    found.spec(**PLAIN)
    yield found
    cluster.kubectl("delete", "namespace", found.namespace, "--ignore-not-found", "--wait=false")


@pytest.mark.usefixtures("machine")
def test_who_may_not_change_the_namespace_applies_what_is_in_it(applying):
    """As with the ClusterRole admin: all in a namespace, and not the namespace."""
    applying.apply()
    rights = dict.fromkeys(KINDS, EVERYTHING) | {"namespaces": ["get"]}
    grant(applying.cluster, applying.namespace, LIMITED, rights)
    assert changed(applying.apply(context=LIMITED)) == {}
    applying.cluster.kubectl(
        "label", "namespace", applying.namespace,
        "pod-security.kubernetes.io/enforce=baseline", "--overwrite",
    )  # fmt: skip
    told = applying.apply(context=LIMITED)
    assert changed(told) == {}
    (kept,) = (one for one in told["steps"] if one["action"] == "keep")
    assert kept["object"] == f"namespace/{applying.namespace}"
    assert "enforce" in kept["note"]
    assert "you may not change it" in kept["note"]


@pytest.fixture
def strict(applying) -> Iterator[str]:
    """Give the words of a policy by which nothing of ours may be in namespace `default`."""
    name, words = applying.namespace, "nothing is deployed to default"
    rule = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["statefulsets"],
    }
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    checked = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [
            {"expression": f"object.metadata.labels['{LABEL}'] != '{name[:40]}'", "message": words}
        ],
    }
    bound = {
        "policyName": name,
        "validationActions": ["Deny"],
        "matchResources": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}
        },
    }
    applying.cluster.apply(
        head | {"kind": "ValidatingAdmissionPolicy", "spec": checked},
        head | {"kind": "ValidatingAdmissionPolicyBinding", "spec": bound},
    )
    yield words
    for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
        applying.cluster.kubectl("delete", kind, name)


def test_a_policy_of_another_namespace_does_not_forbid_the_first_apply(applying, strict):
    name = applying.namespace[:40]
    applying.spec(name=name, **PLAIN)
    while True:  # until the API server has read the policy
        shown = applying.run("--dry-run").stdout
        if strict in shown:
            break
    assert f"create     statefulset/{name}: not tried beforehand" in shown
    told = applying.apply()
    assert told["serves"]
    assert changed(applying.apply()) == {}


@pytest.fixture
def blind(applying) -> Iterator[None]:
    """Let a user do all that applying needs in any namespace, and see no namespace."""
    name = applying.namespace
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name}}
    rule = {"apiGroups": ["", "apps"], "resources": list(KINDS), "verbs": EVERYTHING}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    subject = {"kind": "User", "name": LIMITED, "apiGroup": "rbac.authorization.k8s.io"}
    applying.cluster.apply(
        head | {"kind": "ClusterRole", "rules": [rule]},
        head | {"kind": "ClusterRoleBinding", "roleRef": role, "subjects": [subject]},
    )
    yield
    for kind in ("clusterrolebinding", "clusterrole"):
        applying.cluster.kubectl("delete", kind, name)


@pytest.mark.usefixtures("machine", "blind")
def test_a_namespace_that_is_not_there_and_may_not_be_seen_is_named(applying):
    error = applying.refused(context=LIMITED)
    assert error["code"] == "cluster.not_found"
    assert error["what"].startswith(f"namespace {applying.namespace} is not there")
    assert error["do"].startswith(
        f"kubectl --context {LIMITED} create namespace {applying.namespace}"
    )
