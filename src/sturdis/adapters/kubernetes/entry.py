"""What must be there before a server in a cluster can be spoken to: its pod, and our password."""

import base64

from sturdis.adapters.kubernetes.api import Cluster
from sturdis.core.cluster import NAMESPACE, SECRET, Manifest, Ref
from sturdis.core.cluster_place import Place
from sturdis.core.errors import AccessError, ClusterError
from sturdis.core.render import metadata
from sturdis.core.render.acl import APPLICATION, EXPORTER, STURDIS
from sturdis.core.spec import Spec

OWNERS = {
    metadata.PASSWORD_KEY: APPLICATION.name,
    metadata.EXPORTER_KEY: EXPORTER.name,
    metadata.STURDIS_KEY: STURDIS.name,
}
"""Key of the Secret to the user whose password it holds."""


def find_pod(cluster: Cluster, place: Place) -> Manifest:
    """Give the pod as it is.

    Raises:
        ClusterError: `cluster.no_pod`, or it may not be read.
    """
    pod = cluster.get(place.pod)
    if pod is not None:
        return pod
    why = f"namespace {place.pod.namespace} has no such pod"
    try:
        if cluster.get(Ref(NAMESPACE, place.pod.namespace)) is None:
            why = f"there is no namespace {place.pod.namespace}"
    except ClusterError:  # not ours to read; the pod is not there all the same
        pass
    raise ClusterError(
        "cluster.no_pod",
        f"{place.pod} is not in the cluster of context {cluster.name}",
        why=why,
        do=f"{place.apply}    or name its namespace: -n NAMESPACE",
    )


def login(
    cluster: Cluster, spec: Spec, place: Place, password: str | None
) -> str | ClusterError | None:
    """Give the password of our user, or why it is not to be had; None: the server has none.

    It is read through the API server, and kept in memory alone.

    Args:
        cluster: Where.
        spec: The deployment, with the name of the Secret.
        place: The names in it, and what to type about it.
        password: What was given in its place.
    """
    secret = spec.access.password_secret
    if secret is None or password is not None:
        return password
    try:
        return held(cluster, secret, spec.namespace, metadata.STURDIS_KEY, place.apply)
    except ClusterError as error:
        return error


def held(cluster: Cluster, secret: str, namespace: str, key: str, apply: str) -> str:
    """Give the password that a Secret holds under `key`.

    Args:
        cluster: Where.
        secret: Its name.
        namespace: Where it is there.
        key: Whose password: one of `metadata`'s.
        apply: What to type to be told how it is made.

    Raises:
        ClusterError: It may not be read; or `cluster.secret`: it is not there, or lacks the key.
    """
    ref = Ref(SECRET, secret, namespace)
    found = cluster.get(ref)
    data = (found or {}).get("data") or {}
    if encoded := data.get(key):
        return base64.b64decode(encoded).decode(errors="surrogateescape")
    raise ClusterError(
        "cluster.secret",
        f"{ref} does not give the password of the user {OWNERS[key]}",
        why=f"it has no key {key}" if found else "it is not there",
        do=f"{apply}    says how it is made",
    )


def denied(place: Place, pod: Manifest, spec: Spec, why: str, *, given: bool) -> AccessError:
    """Say of the pod that its server does not let us in, and what a person can do about it.

    Args:
        place: The names in the deployment, and what to type about it.
        pod: The pod as it is.
        spec: The deployment, with the name of the Secret.
        why: The server's words.
        given: Whether the password was given in place of the Secret's.
    """
    secret = spec.access.password_secret
    if given:
        what = f"the server of {place.pod} refuses the password given for the user {STURDIS.name}"
        do = f"give the one that the pod was started with, of the key {metadata.STURDIS_KEY}"
    elif secret is None:
        what = f"the server of {place.pod} asks for a password, and the spec names no Secret of it"
        do = "name the Secret as access.passwordSecret in the spec; or --password-file FILE"
    elif not _knows_passwords(pod, place.container):
        what = f"{place.pod} was started without the passwords of secret/{secret}"
        do = f"{place.apply}    starts it with them"
    else:
        what = f"{place.pod} was started with another password than secret/{secret} has by now"
        why += f"; the user is {STURDIS.name}, the key {metadata.STURDIS_KEY}"
        delete = f"{place.kubectl} delete pod {place.pod.name}"
        do = f"{delete}    when it suits: the next one starts with the Secret's"
    return AccessError("access.denied", what, why=why, do=do)


def _knows_passwords(pod: Manifest, container: str) -> bool:
    return any(
        one["name"] == STURDIS.variable
        for each in pod["spec"]["containers"]
        for one in each.get("env") or ()
        if each["name"] == container
    )
