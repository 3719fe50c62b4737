"""The StatefulSet: one server that a kubelet starts, probes and stops, beside its exporter."""

import math

from sturdis.core import cluster, units
from sturdis.core import spec as specs
from sturdis.core.cluster import Manifest
from sturdis.core.ports import REDIS_PORT
from sturdis.core.render import configuration, metadata, queue_script, skips
from sturdis.core.spec import Spec
from sturdis.core.supervision import limits

USER = 999
"""User and group of the server's files: `redis` in the Debian images of Redis and Valkey."""

CPU_REQUEST = "100m"
"""Share of a core that the server is sure of; there is no limit, which would throttle it.
docs/adr/0038."""

EXPORTER_CPU, EXPORTER_MEMORY, EXPORTER_LIMIT = "10m", "32Mi", "128Mi"
"""What the exporter asks for and may use: docs/adr/0038."""

START_PERIOD = 1
"""Seconds between two looks at a server that starts: how late it is called ready."""

UNREADY_PROBES = 3
"""Probes in a row without a ready reply until clients are sent elsewhere: there is no elsewhere."""

EXPORTER_DEFAULT_PORT = 9121
"""redis_exporter's own; what port 0 of the spec, a free one on one machine, means in a pod."""

CONFIG_DIGEST = "sturdis/config-digest"
STARTUP_BUDGET = "sturdis/startup-budget"
"""Annotations: what the pod was configured with, and how long it may take to start, with the sum.
"""


def stateful_set(spec: Spec, config: Manifest) -> Manifest:
    """Give the StatefulSet.

    Args:
        spec: The deployment.
        config: Its ConfigMap; the pod is replaced when that changes.
    """
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata.meta(
            spec,
            spec.name,
            annotations={STARTUP_BUDGET: _budget_in_words(spec)} | skips.annotations(spec),
        ),
        "spec": {
            "replicas": 1,
            "serviceName": metadata.headless_name(spec),
            "selector": {"matchLabels": metadata.selector(spec)},
            # of one pod; OrderedReady would wait for a broken one for ever, and hold its mend back
            "podManagementPolicy": "Parallel",
            "updateStrategy": {"type": "RollingUpdate"},
            "persistentVolumeClaimRetentionPolicy": {
                "whenDeleted": "Retain",
                "whenScaled": "Retain",
            },
            "template": {
                "metadata": {
                    "labels": metadata.labels(spec),
                    "annotations": {CONFIG_DIGEST: configuration.digest(config)},
                },
                "spec": _pod(spec, config),
            },
            "volumeClaimTemplates": [_claim_template(spec)],
        },
    }


def exporter_port(spec: Spec) -> int:
    """Give the port of /metrics in the pod."""
    return spec.monitoring.exporter.port or EXPORTER_DEFAULT_PORT


def _pod(spec: Spec, config: Manifest) -> Manifest:
    volumes: list[Manifest] = [
        {"name": "config", "configMap": {"name": config["metadata"]["name"]}},
    ]
    if spec.access.password_secret:
        # memory, not disk: what is composed here are digests of passwords
        volumes.append({"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}})
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": round(limits.STOP_SECONDS),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_redis(spec), _exporter(spec)],
        "volumes": volumes,
    }


def _redis(spec: Spec) -> Manifest:
    limit = units.canonical_bytes(specs.memory_limit(spec))
    mounts = [
        {"name": "data", "mountPath": metadata.DATA_FOLDER},
        _config_mount(),
    ]
    variables = []
    if secret := spec.access.password_secret:
        mounts.append({"name": "run", "mountPath": metadata.RUN_FOLDER})
        variables = [
            _from_secret("REDISCLI_AUTH", secret, metadata.PASSWORD_KEY),
            _from_secret("EXPORTER_PASSWORD", secret, metadata.EXPORTER_KEY),
            _from_secret("STURDIS_PASSWORD", secret, metadata.STURDIS_KEY),
        ]
    return {
        "name": "redis",
        "image": specs.engine_image(spec),
        "command": ["sh", f"{metadata.CONFIG_FOLDER}/{configuration.START}"],
        **({"env": variables} if variables else {}),
        "ports": [{"name": "redis", "containerPort": REDIS_PORT}],
        "resources": {
            "requests": {"cpu": CPU_REQUEST, "memory": limit},
            "limits": {"memory": limit},
        },
        "securityContext": _confined(),
        **_probes(spec),
        "volumeMounts": mounts,
        # a start that was refused says why where kubectl describe looks
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _probes(spec: Spec) -> Manifest:
    """Give the probes, which read the reply: docs/adr/0014 and 0033."""
    period, answer = round(limits.PROBE_SECONDS), {"timeoutSeconds": round(limits.PROBE_SECONDS)}
    attempts = math.ceil(_budget(spec) / START_PERIOD)
    return {
        "startupProbe": _probe("ready")
        | {"periodSeconds": START_PERIOD, **answer, "failureThreshold": attempts},
        "livenessProbe": _probe("alive")
        | {"periodSeconds": period, **answer, "failureThreshold": limits.SILENT_PROBES},
        "readinessProbe": _probe("ready")
        | {"periodSeconds": period, **answer, "failureThreshold": UNREADY_PROBES},
    }


def _probe(what: str) -> Manifest:
    script = f"{metadata.CONFIG_FOLDER}/{configuration.PROBE}"
    return {"exec": {"command": ["sh", script, what]}}


def _budget(spec: Spec) -> float:
    return limits.start_budget(specs.maxmemory(spec))


def _budget_in_words(spec: Spec) -> str:
    return (
        f"max({limits.START_SECONDS:.0f} s, 4 x maxmemory {specs.maxmemory(spec)} B / "
        f"{limits.LOAD_BYTES_PER_SECOND} B/s) = {math.ceil(_budget(spec))} s"
    )


def _exporter(spec: Spec) -> Manifest:
    port = exporter_port(spec)
    variables: list[Manifest] = [
        {"name": "REDIS_ADDR", "value": f"redis://localhost:{REDIS_PORT}"},
        {"name": "REDIS_EXPORTER_WEB_LISTEN_ADDRESS", "value": f":{port}"},
    ]
    mounts: list[Manifest] = []
    if spec.monitoring.queues:
        script = f"{metadata.CONFIG_FOLDER}/{queue_script.FILE}"
        variables.append({"name": "REDIS_EXPORTER_SCRIPT", "value": script})
        mounts = [_config_mount()]
    if secret := spec.access.password_secret:
        variables.append({"name": "REDIS_USER", "value": "exporter"})
        variables.append(_from_secret("REDIS_PASSWORD", secret, metadata.EXPORTER_KEY))
    return {
        "name": "redis-exporter",
        "image": spec.monitoring.exporter.image,
        "env": variables,
        "ports": [{"name": "metrics", "containerPort": port}],
        "resources": {
            "requests": {"cpu": EXPORTER_CPU, "memory": EXPORTER_MEMORY},
            "limits": {"memory": EXPORTER_LIMIT},
        },
        "securityContext": _confined(),
        **({"volumeMounts": mounts} if mounts else {}),
        # Ready while it listens, which adds nothing that could make the pod unready: one that has
        # ended does so without a probe. An exporter that hangs must not take the server away.
        "readinessProbe": {"tcpSocket": {"port": "metrics"}, "periodSeconds": 2},
        "livenessProbe": {
            "httpGet": {"path": "/health", "port": "metrics"},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 6,
        },
    }


def _confined() -> Manifest:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _config_mount() -> Manifest:
    return {"name": "config", "mountPath": metadata.CONFIG_FOLDER, "readOnly": True}


def _from_secret(variable: str, secret: str, key: str) -> Manifest:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _claim_template(spec: Spec) -> Manifest:
    """Give the claim's template, with what Kubernetes fills in: without it Argo CD sees drift."""
    return {
        "apiVersion": cluster.CLAIM.api_version,
        "kind": cluster.CLAIM.kind,
        "metadata": {"name": "data", "labels": metadata.selector(spec)},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": spec.storage.storage_class,
            "volumeMode": "Filesystem",
            "resources": {"requests": {"storage": units.canonical_bytes(specs.storage_size(spec))}},
        },
    }
