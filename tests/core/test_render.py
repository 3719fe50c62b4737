"""What is rendered: the deployment of the README, and the tree of any spec."""

import io
import json

import pytest
import yaml
from hypothesis import given, settings
from ruamel.yaml import YAML

from sturdis.core import cluster
from sturdis.core.errors import SpecError
from sturdis.core.render import objects, tree, yamltext
from sturdis.core.render.argocd import Source
from sturdis.core.spec import Spec
from sturdis.core.spec import file as specfile
from sturdis.core.spec.cluster import Access, Engine, Storage
from tests.core import valid_specs

SOURCE = Source("ssh://git.local/app.git")


def rendered(text: str = "") -> tree.Tree:
    return tree.tree(specfile.read(text, source="sturdis.yaml"), SOURCE)


def pod_of(spec: Spec):
    return objects.deployment(spec)["statefulset.yaml"]["spec"]["template"]["spec"]


def container(spec: Spec, name: str):
    return next(one for one in pod_of(spec)["containers"] if one["name"] == name)


def test_the_defaults_are_the_deployment_of_the_readme():
    found = objects.deployment(Spec())
    workload = found["statefulset.yaml"]
    assert workload["metadata"]["name"] == workload["metadata"]["namespace"] == "redis"
    assert workload["spec"]["replicas"] == 1
    assert [one["name"] for one in pod_of(Spec())["containers"]] == ["redis", "redis-exporter"]
    (port,) = found["service.yaml"]["spec"]["ports"]
    assert (found["service.yaml"]["metadata"]["name"], port["port"]) == ("redis", 6379)
    (template,) = workload["spec"]["volumeClaimTemplates"]
    assert template["spec"]["storageClassName"] == "longhorn-replicated"
    assert template["spec"]["resources"] == {"requests": {"storage": "10Gi"}}
    assert container(Spec(), "redis-exporter")["ports"][0]["containerPort"] == 9121
    assert found["servicemonitor.yaml"]["spec"]["endpoints"][0]["interval"] == "30s"


def test_redis_conf_listens_to_other_pods_and_is_the_one_of_up():
    conf = objects.deployment(Spec())["configmap.yaml"]["data"]["redis.conf"].splitlines()
    for line in (
        'bind "*" -::*', "port 6379", "dir /data", "appendonly yes", "appendfsync everysec",
        "maxmemory-policy noeviction", "maxmemory 644245094", 'save ""', "protected-mode no",
    ):  # fmt: skip
        assert line.replace('"*"', "*") in conf, line


@pytest.mark.parametrize(("environment", "size"), [("stage", "5Gi"), ("prod", "20Gi")])
def test_an_overlay_holds_what_its_environment_differs_by_alone(environment, size):
    below = f"apps/infrastructure/redis/overlays/{environment}/"
    found = {path: text for path, text in rendered().items() if path.startswith(below)}
    assert list(found) == [below + "kustomization.yaml", below + "statefulset.patch.yaml"]
    (operation,) = yaml.safe_load(found[below + "statefulset.patch.yaml"])
    assert operation["path"].endswith("/resources/requests/storage")
    assert operation["value"] == size


def test_the_application_deploys_prod_from_the_repository():
    application = yaml.safe_load(rendered()["apps/infrastructure/redis.yaml"])
    assert application["spec"]["source"] == {
        "repoURL": "ssh://git.local/app.git",
        "targetRevision": "main",
        "path": "apps/infrastructure/redis/overlays/prod",
    }
    assert "finalizers" not in application["metadata"]


def test_without_environments_the_base_is_deployed():
    application = yaml.safe_load(rendered("environments: {}")["apps/infrastructure/redis.yaml"])
    assert application["spec"]["source"]["path"] == "apps/infrastructure/redis/base"


def test_a_tree_below_the_top_of_its_repository_is_found_there():
    file = specfile.read("", source="sturdis.yaml")
    found = tree.tree(file, Source("ssh://git.local/app.git", "deploy/eu"))
    application = yaml.safe_load(found["apps/infrastructure/redis.yaml"])
    path = "deploy/eu/apps/infrastructure/redis/overlays/prod"
    assert application["spec"]["source"]["path"] == path


def test_a_changed_setting_replaces_the_pod_and_equal_ones_do_not():
    def annotations(text: str):
        spec = specfile.parse(text, source="sturdis.yaml")
        template = objects.deployment(spec)["statefulset.yaml"]["spec"]["template"]
        return template["metadata"]["annotations"]

    assert annotations("") == annotations("storage: {size: 11Gi}")
    assert annotations("") != annotations("persistence: {fsync: always}")


def test_the_pod_is_confined_and_has_no_token():
    pod = pod_of(Spec())
    assert pod["automountServiceAccountToken"] is False
    user = pod["securityContext"]
    assert (user["runAsUser"], user["runAsGroup"], user["fsGroup"]) == (999, 999, 999)
    for one in pod["containers"]:
        assert one["securityContext"]["readOnlyRootFilesystem"] is True
        assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "runAsUser" not in one["securityContext"]


def test_the_start_budget_is_the_annotated_sum():
    spec = specfile.parse("{memory: {limit: 8Gi}, storage: {size: 20Gi}}", source="sturdis.yaml")
    workload = objects.deployment(spec)["statefulset.yaml"]
    told = workload["metadata"]["annotations"]["sturdis/startup-budget"]
    assert told == "max(60 s, 4 x maxmemory 5153960755 B / 50000000 B/s) = 413 s"
    probe = container(spec, "redis")["startupProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] == 413


def test_the_server_has_longer_to_stop_than_it_takes():
    assert pod_of(Spec())["terminationGracePeriodSeconds"] == 30
    conf = objects.deployment(Spec())["configmap.yaml"]["data"]["redis.conf"]
    assert "shutdown-timeout 10" in conf


def test_no_password_is_in_a_manifest_and_each_user_has_a_key():
    spec = Spec(access=Access(password_secret="redis-auth"))  # the Secret's name
    redis, exporter = container(spec, "redis"), container(spec, "redis-exporter")
    keys = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in redis["env"]}
    assert keys["REDISCLI_AUTH"] == {"name": "redis-auth", "key": "password"}
    assert set(keys) == {"REDISCLI_AUTH", "EXPORTER_PASSWORD", "STURDIS_PASSWORD"}
    assert {"name": "REDIS_USER", "value": "exporter"} in exporter["env"]
    volume = {"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
    assert volume in pod_of(spec)["volumes"]


def test_the_exporter_counts_the_queues_that_are_watched():
    def counted(text: str) -> tuple[bool, bool]:
        spec = specfile.parse(text, source="sturdis.yaml")
        exporter = container(spec, "redis-exporter")
        script = {"name": "REDIS_EXPORTER_SCRIPT", "value": "/etc/redis/queues.lua"}
        files = objects.deployment(spec)["configmap.yaml"]["data"]
        return script in exporter["env"] and "volumeMounts" in exporter, "queues.lua" in files

    assert counted("") == (False, False)
    assert counted("monitoring: {queues: [mails]}") == (True, True)


def test_what_the_spec_mends_is_not_left_out_of_a_scan():
    def left_out(text: str) -> set[str]:
        spec = specfile.parse(text, source="sturdis.yaml")
        told = objects.deployment(spec)["statefulset.yaml"]["metadata"]["annotations"]
        return {value.split("=")[0] for key, value in told.items() if key.startswith("checkov")}

    digest = "@sha256:" + "0" * 64
    images = f"engine: {{image: redis{digest}}}\nmonitoring: {{exporter: {{image: e{digest}}}}}\n"
    assert len(left_out("")) == 5
    assert left_out("") - left_out("access: {networkPolicy: true}") == {"CKV2_K8S_6"}
    assert left_out("") - left_out(images) == {"CKV_K8S_43"}


def test_without_a_secret_nothing_speaks_of_passwords():
    text = yamltext.stream(objects.deployment(Spec()).values())
    assert "secretKeyRef" not in text
    assert "_PASSWORD" not in str(pod_of(Spec()))


def test_a_network_policy_lets_in_who_carries_the_label():
    spec = Spec(access=Access(network_policy=True))
    clients, metrics = objects.deployment(spec)["networkpolicy.yaml"]["spec"]["ingress"]
    (source,) = clients["from"]
    assert source["podSelector"] == {"matchLabels": {"redis-client": "true"}}
    assert (metrics["ports"][0]["port"], "from" in metrics) == ("metrics", False)


def test_a_namespace_that_is_not_ours_alone_is_left_as_it_is():
    found = objects.deployment(specfile.parse("namespace: default", source="sturdis.yaml"))
    assert "namespace.yaml" not in found
    with pytest.raises(SpecError, match="1 problem"):
        specfile.parse("namespace: kube-system", source="sturdis.yaml")


def test_a_claim_template_has_nothing_that_argo_cd_calls_drift():
    (template,) = objects.deployment(Spec())["statefulset.yaml"]["spec"]["volumeClaimTemplates"]
    # Kubernetes fills in the first two, and Argo CD does not.
    assert (template["apiVersion"], template["kind"]) == ("v1", "PersistentVolumeClaim")
    assert "status" not in template


def test_longhorns_class_is_rendered_where_it_is_used_and_apart():
    path = "apps/infrastructure/storage/longhorn-replicated.yaml"
    assert yaml.safe_load(rendered()[path])["parameters"]["numberOfReplicas"] == "3"
    assert path not in rendered("storage: {class: fast}")


def test_the_engine_chooses_the_image():
    image = container(Spec(engine=Engine(kind="valkey")), "redis")["image"]
    assert image == "valkey/valkey:9.1.2"
    assert container(Spec(storage=Storage(size="1Ti")), "redis")["image"] == "redis:8.0.5"


@given(valid_specs.files())
@settings(max_examples=25)
def test_any_valid_spec_renders_to_objects_that_both_yamls_read(file):
    for path, text in tree.tree(file, SOURCE).items():
        old, new = yaml.safe_load(text), YAML(typ="safe", pure=True).load(io.StringIO(text))
        assert old == new, path
    for deployment in (file.base, *file.environments.values()):
        found = objects.deployment(deployment.spec)
        text = yamltext.stream(found.values())
        assert list(yaml.safe_load_all(text)) == json.loads(json.dumps(list(found.values())))


@given(valid_specs.files())
@settings(max_examples=25)
def test_the_bytes_are_the_same_with_and_without_libyaml(file):
    without = yamltext.writer_of(yaml.SafeDumper)
    for manifest in objects.deployment(file.base.spec).values():
        assert yamltext.document(manifest) == yamltext.document(manifest, writer=without)


@given(valid_specs.files())
@settings(max_examples=20)
def test_every_object_is_of_a_kind_that_is_known_and_in_the_namespace(file):
    for manifest in objects.deployment(file.base.spec).values():
        kind = cluster.kind_of(manifest)
        assert manifest["metadata"].get("namespace") == (
            file.base.spec.namespace if kind.namespaced else None
        )


def test_the_sums_name_every_file_that_is_not_shared_with_other_deployments():
    found = rendered()
    shared = "apps/infrastructure/storage/longhorn-replicated.yaml"
    sums = tree.read_sums(tree.sums(found))
    assert sums == {path: tree.digest(text) for path, text in found.items() if path != shared}
    assert shared in found


@pytest.mark.parametrize(
    "path", ["../x", "apps/infrastructure/../../x", "/etc/passwd", "x", "apps/infrastructure/\0"]
)
def test_sums_lead_nowhere_else(path):
    assert tree.read_sums(f"{'0' * 64}  {path}\n") == {}
