"""What `apply` refuses on a real cluster, before anything is changed."""

import json
from collections.abc import Iterator

import pytest
import yaml

from sturdis.core.render import objects, yamltext
from tests.cluster.applying import Applying, changed
from tests.cluster.deployments import grant
from tests.cluster.machine.places import LIMITED

MONITORS = "servicemonitors.monitoring.coreos.com"


@pytest.fixture
def applying(cluster, namespace, tmp_path) -> Applying:
    """Give a spec whose namespace is there and empty; it still is where something was refused."""
    found = Applying(cluster, namespace, tmp_path)
    found.spec()
    return found


def is_empty(applying: Applying) -> bool:
    return applying.kubectl("get", "all,pvc,networkpolicy", "-o", "name") == ""


def test_no_cluster_is_named(applying):
    error = applying.refused(kubeconfig=applying.folder / "none")
    assert error["code"] == "cluster.none"


def test_an_unknown_context_is_told_with_the_one_that_may_be_meant(applying):
    context = applying.cluster.context
    error = applying.refused(context=f"{context}x")
    assert error["code"] == "cluster.unknown_context"
    assert f"did you mean {context}?" in error["why"]


@pytest.mark.parametrize(
    ("server", "token", "code"),
    [
        ("https://127.0.0.1:1", "x", "cluster.unreachable"),
        ("https://no-such-host.invalid", "x", "cluster.unreachable"),
        (None, "wrong", "cluster.denied"),
    ],
)
def test_a_cluster_that_does_not_let_us_in_says_so(applying, server, token, code):
    content = yaml.safe_load(applying.cluster.kubeconfig.read_text())
    for one in content["clusters"]:
        one["cluster"]["server"] = server or one["cluster"]["server"]
    for one in content["users"]:
        one["user"] = {"token": token}
    other = applying.folder / "kubeconfig"
    other.write_text(yaml.safe_dump(content))
    error = applying.refused(kubeconfig=other)
    assert error["code"] == code
    assert token not in error["why"] or token == "x"


def test_a_cluster_whose_certificate_is_not_trusted_is_not_talked_to(applying):
    content = yaml.safe_load(applying.cluster.kubeconfig.read_text())
    for one in content["clusters"]:
        one["cluster"].pop("certificate-authority-data", None)
        one["cluster"].pop("certificate-authority", None)
    other = applying.folder / "kubeconfig"
    other.write_text(yaml.safe_dump(content))
    error = applying.refused(kubeconfig=other)
    assert error["code"] == "cluster.unreachable"
    assert "certificate" in error["why"]


@pytest.mark.usefixtures("machine")
def test_a_right_that_is_missing_is_named_with_its_verb(applying):
    error = applying.refused(context=LIMITED)
    assert error["code"] == "cluster.forbidden"
    assert "may not get" in error["what"]
    kinds = ("configmaps", "services", "statefulsets", "pods", "persistentvolumeclaims")
    everything = {kind: ["get", "list", "watch", "create", "patch"] for kind in kinds}
    everything["statefulsets"] = ["get", "list", "watch", "patch"]
    grant(applying.cluster, applying.namespace, LIMITED, everything)
    monitoring = {"service_monitor": False, "rules": False}
    applying.spec(
        monitoring={"serviceMonitor" if k[0] == "s" else k: v for k, v in monitoring.items()}
    )
    error = applying.refused(context=LIMITED)
    assert error["what"].endswith(
        f"may not create statefulsets.apps in namespace {applying.namespace}"
    )
    assert is_empty(applying)
    everything["statefulsets"].append("create")
    grant(applying.cluster, applying.namespace, LIMITED, everything)
    told = applying.apply(context=LIMITED)
    assert told["serves"]
    assert any("less can be found out: watch events" in one for one in told["warnings"])


def foreign_service(applying: Applying, **meta: object) -> None:
    applying.cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "redis", **meta},
            "spec": {"ports": [{"port": 6379}], "selector": {"app": "redis"}},
        },
        namespace=applying.namespace,
    )


def test_a_service_that_others_made_is_not_touched(applying):
    foreign_service(applying)
    error = applying.refused()
    assert error["code"] == "cluster.foreign"
    assert "service/redis (by kubectl-client-side-apply)" in error["why"]
    spec = applying.folder / "sturdis.yaml"
    named = f"--context {applying.cluster.context} --spec {spec}"
    assert error["do"].startswith(f"sturdis apply {named} --adopt ")
    assert applying.get("service", "redis")["spec"]["selector"] == {"app": "redis"}
    assert "statefulset" not in applying.kubectl("get", "all", "-o", "name")


@pytest.mark.parametrize("words", [(), ("--adopt",)])
def test_what_argo_cd_tracks_is_left_to_it(applying, words):
    tracking = {"argocd.argoproj.io/tracking-id": "cache:/Service:x/redis"}
    foreign_service(applying, annotations=tracking)
    error = applying.refused(*words)
    assert error["code"] == "cluster.gitops"
    assert "Application cache" in error["why"]
    assert "sturdis render" in error["do"]


def test_what_an_application_of_that_name_labels_is_left_to_argo_cd(applying):
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "cache"},
        "spec": {
            "project": "default",
            "destination": {"server": "https://kubernetes.default.svc"},
            "source": {"repoURL": "https://example.invalid/x.git", "path": "x"},
        },
    }
    applying.cluster.apply(application, namespace=applying.namespace)
    foreign_service(applying, labels={"app.kubernetes.io/instance": "cache"})
    assert applying.refused("--adopt")["code"] == "cluster.gitops"


def claim(applying: Applying, size: str, storage_class: str = "longhorn-replicated") -> None:
    applying.cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data-redis-0"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": storage_class,
                "resources": {"requests": {"storage": size}},
            },
        },
        namespace=applying.namespace,
    )


@pytest.mark.parametrize(
    ("size", "storage_class", "do"),
    [
        ("512Mi", "longhorn-replicated", "sturdis grow"),
        ("2Gi", "longhorn-replicated", "size: 2Gi"),
        ("1Gi", "other", "class: other"),
    ],
)
def test_a_claim_of_another_size_or_class_is_refused(applying, size, storage_class, do):
    claim(applying, size, storage_class)
    error = applying.refused()
    assert error["code"] == "cluster.claim"
    assert do in error["do"]
    assert "statefulset" not in applying.kubectl("get", "all", "-o", "name")


def test_a_storage_class_that_is_not_there_is_refused(applying):
    applying.spec(storage={"size": "1Gi", "class": "no-such-class"})
    assert applying.refused()["code"] == "cluster.storage_class"
    assert is_empty(applying)


def test_a_secret_with_an_empty_password_is_refused_as_one_without(applying):
    applying.spec(access={"passwordSecret": "redis-access"})
    applying.kubectl(
        "create", "secret", "generic", "redis-access", "--from-literal=password=",
        "--from-literal=exporter-password=for-a-test", "--from-literal=sturdis-password=the-same",
    )  # fmt: skip
    error = applying.refused()
    assert error["code"] == "cluster.secret"
    assert "lacks password" in error["what"]
    assert is_empty(applying)


@pytest.fixture
def policy(applying) -> Iterator[str]:
    """Give the words of a policy that lets no StatefulSet into the namespace."""
    name, words = applying.namespace, "sets are made by the platform team"
    rule = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["statefulsets"],
    }
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    where = {"matchLabels": {"kubernetes.io/metadata.name": name}}
    checked = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "false", "message": words}],
    }
    bound = {
        "policyName": name,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": where},
    }
    applying.cluster.apply(
        head | {"kind": "ValidatingAdmissionPolicy", "spec": checked},
        head | {"kind": "ValidatingAdmissionPolicyBinding", "spec": bound},
    )
    manifest = yamltext.stream(
        one for one in objects.deployment(applying.read()).values() if one["kind"] == "StatefulSet"
    )
    for _attempt in range(100):  # until the API server has read it
        tried = applying.cluster.try_kubectl(
            "create", "--dry-run=server", "-f", "-", given=manifest
        )
        if tried.returncode:
            break
    yield words
    for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
        applying.cluster.kubectl("delete", kind, name)


def test_what_a_policy_refuses_is_told_in_its_words_before_anything_is_changed(applying, policy):
    error = applying.refused()
    assert error["code"] == "cluster.refused"
    assert policy in error["why"]
    assert is_empty(applying)


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ((), {"engine": {"image": "redis:latest"}}),
        ((), {"name": "1redis"}),
        ((), {"monitoring": {"exporter": {"port": 6379}}}),
        (("--env", "nowhere"), {}),
    ],
)
def test_what_the_spec_itself_forbids_is_never_asked_of_a_cluster(applying, words, keys):
    applying.spec(**keys)
    assert applying.refused(*words)["exit"] == 2
    assert is_empty(applying)


def serve(applying: Applying, *, is_served: bool) -> None:
    """Let the API server know ServiceMonitors, or not; those that are there stay in its store."""
    change = [{"op": "replace", "path": "/spec/versions/0/served", "value": is_served}]
    applying.cluster.kubectl(
        "patch", "crd", MONITORS, "--type=json", f"--patch={json.dumps(change)}"
    )
    path = "/apis/monitoring.coreos.com/v1"
    while is_served != ('"servicemonitors"' in applying.cluster.kubectl("get", "--raw", path)):
        pass  # until the API server has read it


@pytest.mark.usefixtures("machine")
def test_a_cluster_without_the_operators_kinds_gets_the_rest_and_it_is_said(applying):
    serve(applying, is_served=False)
    try:
        told = applying.apply()
    finally:
        serve(applying, is_served=True)
    (skipped,) = (one for one in told["steps"] if one["action"] == "skip")
    assert skipped["object"] == "servicemonitor/redis"
    assert "no such CRD" in skipped["note"]
    assert told["serves"]
    assert changed(applying.apply()) == {"servicemonitor/redis": "create"}
