"""The ConfigMap: redis.conf, the start script and the probe's, mounted into the pod as files."""

import hashlib

from sturdis.core.cluster import Manifest
from sturdis.core.ports import REDIS_PORT
from sturdis.core.render import metadata, queue_script, redis_conf
from sturdis.core.render.probe_script import probe_script
from sturdis.core.render.redis_conf import Place
from sturdis.core.render.start_script import start_script
from sturdis.core.spec import Spec

POD = Place(folder=metadata.DATA_FOLDER, bind="* -::*", port=REDIS_PORT)
"""A server in a pod: it listens on whatever addresses the pod has, IPv6 where there is any."""

CONF = "redis.conf"
START = "start.sh"
PROBE = "probe.sh"


def name(spec: Spec) -> str:
    """Name the ConfigMap."""
    return f"{spec.name}-config"


def config_map(spec: Spec) -> Manifest:
    """Give the ConfigMap with all that the containers read.

    Raises:
        SpecError: The names of `monitoring.queues` are too long together.
    """
    files = {
        CONF: redis_conf.redis_conf(spec, POD),
        START: start_script(spec),
        PROBE: probe_script(),
    }
    if spec.monitoring.queues:
        files[queue_script.FILE] = queue_script.queue_script(spec)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata.meta(spec, name(spec)),
        "data": files,
    }


def digest(config: Manifest) -> str:
    """Give what stands for the content of a ConfigMap: its pods are replaced when it changes."""
    text = "".join(f"{key}\0{config['data'][key]}\0" for key in sorted(config["data"]))
    return hashlib.sha256(text.encode()).hexdigest()
