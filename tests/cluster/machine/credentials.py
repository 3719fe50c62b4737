"""Keys, certificates and tokens of a cluster that is being made, and its kubeconfigs."""

import json
import secrets
from pathlib import Path

from tests.cluster.machine import processes
from tests.cluster.machine.places import (
    AGENTS_KUBECONFIG,
    CONTEXT,
    GATEWAY,
    KUBECONFIG,
    KUBERNETES_SERVICE,
    LIMITED,
    SERVER,
    STATE,
)

FOLDER = STATE / "pki"
TOKENS = FOLDER / "tokens.csv"
CA = FOLDER / "ca.crt"
NAMES = f"IP:{GATEWAY},IP:{KUBERNETES_SERVICE},IP:127.0.0.1,DNS:kubernetes.default.svc"
DAYS = "365"


def make() -> None:
    """Make all of them anew."""
    FOLDER.mkdir(mode=0o700)
    key, crt, names = FOLDER / "ca.key", CA, FOLDER / "names"
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", crt,
             "-days", DAYS, "-subj", "/CN=sturdis-test-ca")  # fmt: skip
    _openssl("genrsa", "-out", FOLDER / "sa.key", "2048")
    _openssl("rsa", "-in", FOLDER / "sa.key", "-pubout", "-out", FOLDER / "sa.pub")
    names.write_text(f"subjectAltName={NAMES}\n")
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", FOLDER / "api.key",
             "-out", FOLDER / "api.csr", "-subj", "/CN=kube-apiserver")  # fmt: skip
    _openssl("x509", "-req", "-in", FOLDER / "api.csr", "-CA", crt, "-CAkey", key, "-days", DAYS,
             "-CAcreateserial", "-out", FOLDER / "api.crt", "-extfile", names)  # fmt: skip
    _make_kubeconfigs()


def _openssl(*words: str | Path) -> None:
    processes.run("openssl", *words)


def _make_kubeconfigs() -> None:
    admin, limited = secrets.token_hex(16), secrets.token_hex(16)
    _private(TOKENS, f"{admin},admin,1,system:masters\n{limited},{LIMITED},2\n")
    people = {CONTEXT: ("admin", admin), LIMITED: (LIMITED, limited)}
    _private(KUBECONFIG, json.dumps(_kubeconfig(people), indent=1))
    _private(AGENTS_KUBECONFIG, json.dumps(_kubeconfig({CONTEXT: ("admin", admin)}), indent=1))


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _kubeconfig(contexts: dict[str, tuple[str, str]]) -> dict[str, object]:
    """Give a kubeconfig of the contexts: name to user and token. JSON is YAML as well."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [
            {"name": CONTEXT, "cluster": {"server": SERVER, "certificate-authority": str(CA)}}
        ],
        "users": [{"name": user, "user": {"token": token}} for user, token in contexts.values()],
        "contexts": [
            {"name": name, "context": {"cluster": CONTEXT, "user": user}}
            for name, (user, _token) in contexts.items()
        ],
    }
