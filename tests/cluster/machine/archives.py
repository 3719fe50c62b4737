"""Container images as OCI archives, made from files of this machine: no registry is asked.

Entries carry no owner and no time, so the same files give the same image.
"""

import hashlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

MERGED = ("bin", "sbin", "lib", "lib64")
"""Folders that are links into /usr, as in Debian."""
MEDIA = "application/vnd.oci.image"


class Layer:
    """The one layer of an image, written to a tar as it is put together; first come, first kept."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._seen: set[str] = set()
        for name in ("dev", "etc", "proc", "run", "sys", "usr", "var"):
            self.folder(name)
        for name in MERGED:
            self.folder(f"usr/{name}")
            self.link(name, f"usr/{name}")
        self.folder("tmp", mode=0o1777)

    def folder(self, inside: str, *, mode: int = 0o755, owner: int = 0) -> None:
        """Add an empty folder, of the user and group `owner`."""
        entry = tarfile.TarInfo(inside)
        entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, mode, owner, owner
        self._add(entry)

    def link(self, inside: str, target: str) -> None:
        """Add a symbolic link."""
        entry = tarfile.TarInfo(inside)
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        self._add(entry)

    def text(self, inside: str, text: str) -> None:
        """Add a small file."""
        entry = tarfile.TarInfo(inside)
        entry.size = len(text.encode())
        self._add(entry, text.encode())

    def file(self, inside: str, host: Path) -> None:
        """Add what `host` is or points to, with its permissions."""
        entry = tarfile.TarInfo(inside)
        entry.size, entry.mode = host.stat().st_size, host.stat().st_mode & 0o755
        self._add(entry, host)

    def program(self, inside: str, host: Path) -> None:
        """Add a program with the libraries that it needs."""
        self.file(inside, host)
        for library in libraries(host.resolve()):
            self.file(merged(library), Path(library))

    def tree(self, inside: str, host: Path) -> None:
        """Add a folder with all that is in it."""
        for folder, folders, files in os.walk(host):
            folders.sort()
            at = Path(inside, Path(folder).relative_to(host))
            self.folder(str(at))
            for name in sorted(files):
                self.file(str(at / name), Path(folder, name))

    def _add(self, entry: tarfile.TarInfo, content: bytes | Path = b"") -> None:
        if entry.name in self._seen:
            return
        self._seen.add(entry.name)
        with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as source:
            self._tar.addfile(entry, source)


def merged(path: str) -> str:
    """Give where a file lies once /lib and its like are links into /usr."""
    inside = path.lstrip("/")
    return f"usr/{inside}" if inside.split("/")[0] in MERGED else inside


@cache
def libraries(program: Path) -> tuple[str, ...]:
    """Give the libraries that a program needs, the loader among them; empty: it is static."""
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return tuple(word for word in told.split() if word.startswith("/"))


@dataclass(frozen=True)
class Config:
    """What an image says of how it is run."""

    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    user: str = ""
    folder: str = "/"
    env: Mapping[str, str] = field(default_factory=dict)


class Archive:
    """An OCI archive in the making: a layer, then the texts that name it by its hash."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive

    def blob(self, kind: str, data: Path | bytes) -> dict[str, object]:
        """Add a blob and give what refers to it."""
        with data.open("rb") if isinstance(data, Path) else io.BytesIO(data) as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
            size = source.seek(0, os.SEEK_END)
            source.seek(0)
            entry = tarfile.TarInfo(f"blobs/sha256/{digest}")
            entry.size = size
            self._archive.addfile(entry, source)
        return {"mediaType": f"{MEDIA}.{kind}", "digest": f"sha256:{digest}", "size": size}

    def text(self, name: str, value: object) -> None:
        """Add one of the two files that the format names itself."""
        data = json.dumps(value).encode()
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        self._archive.addfile(entry, io.BytesIO(data))


def write(path: Path, name: str, layer: Path, config: Config) -> None:
    """Write the archive of the image `name` (registry/repository:tag) with that one layer."""
    partial = path.with_suffix(f".{os.getpid()}")
    with tarfile.open(partial, mode="w") as tar:
        archive = Archive(tar)
        content = archive.blob("layer.v1.tar", layer)
        told = json.dumps(_described(config, content["digest"])).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{MEDIA}.manifest.v1+json",
            "config": archive.blob("config.v1+json", told),
            "layers": [content],
        }
        entry = archive.blob("manifest.v1+json", json.dumps(manifest).encode())
        entry["annotations"] = {"io.containerd.image.name": name}
        archive.text("index.json", {"schemaVersion": 2, "manifests": [entry]})
        archive.text("oci-layout", {"imageLayoutVersion": "1.0.0"})
    partial.rename(path)


def _described(config: Config, layer: object) -> dict[str, object]:
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **config.env}
    return {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Entrypoint": list(config.entrypoint),
            "Cmd": list(config.command),
            "User": config.user,
            "WorkingDir": config.folder,
            "Env": [f"{name}={value}" for name, value in env.items()],
        },
        "rootfs": {"type": "layers", "diff_ids": [layer]},
    }
