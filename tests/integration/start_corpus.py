"""Data folders, and what is to be done about each before a start: by core/aof and in the pod."""

from collections.abc import Mapping
from dataclasses import dataclass

from sturdis.core.aof.guard import MAX_CUT
from tests.core.append_only import EXEC, MULTI, command

Files = Mapping[str, bytes]
"""What is in a data folder: paths in it, and contents."""

MANIFEST = "appendonlydir/appendonly.aof.manifest"
BASE = "appendonlydir/appendonly.aof.1.base.rdb"
INCREMENT = "appendonlydir/appendonly.aof.1.incr.aof"
SECOND = "appendonlydir/appendonly.aof.2.incr.aof"
CUT = "cut/appendonly.aof.1.incr.aof"

BASE_LINE = b"file appendonly.aof.1.base.rdb seq 1 type b\n"
LINE = b"file appendonly.aof.1.incr.aof seq 1 type i\n"
SECOND_LINE = b"file appendonly.aof.2.incr.aof seq 2 type i\n"

ABSENT = LINE.replace(b"1.incr", b"7.incr")
ABSENT_BASE = BASE_LINE.replace(b"1.base", b"7.base")
OTHER_BASE = BASE_LINE.replace(b".rdb", b".aof")

READ_BY_ALL = b"REDIS0010\xfe\x00\x00\x01k\x01v\xff" + bytes(8)
EMPTY_BASE = (
    b"REDIS0010\xfa\x05ctime\xc2\x01\x02\x03\x04\xfa\x01a\xc0\x01\xfa\x01b\x01c\xff" + bytes(8)
)
SET = command(b"SET", b"k", b"v")
STAMP = b"#TS:1795458415\r\n"
BINARY = command(b"SET", b"binary", bytes(range(256)) + b"\r\n*1\r\n" + bytes(9))
TRANSACTION = MULTI + SET + BINARY + EXEC
LONG = command(b"SET", b"k" * MAX_CUT)
WHOLE = STAMP + SET + BINARY + TRANSACTION + command(b"multi") + SET + command(b"exec") + SET


@dataclass(frozen=True)
class Case:
    """A folder, and what becomes of it."""

    name: str
    files: Files
    after: Files | None = None
    """The folder when the server starts; None: the start is refused, and it is as it was."""
    code: str = ""
    """Of that refusal."""

    def __str__(self) -> str:
        return self.name


def folder(increment: bytes = WHOLE, **parts: bytes) -> dict[str, bytes]:
    """Give a folder with a base and one increment."""
    return {MANIFEST: BASE_LINE + LINE, BASE: READ_BY_ALL, INCREMENT: increment} | parts


def fine(name: str, files: Files) -> Case:
    return Case(name, files, files)


def refused(name: str, code: str, files: Files) -> Case:
    return Case(name, files, code=code)


def cut(name: str, tail: bytes, before: bytes = WHOLE) -> Case:
    kept = {f"{CUT}.{len(before)}": tail}
    return Case(name, folder(before + tail), folder(before) | kept)


def damaged(name: str, increment: bytes) -> Case:
    return refused(name, "data.corrupt", folder(increment))


def with_manifest(text: bytes) -> dict[str, bytes]:
    return folder() | {MANIFEST: text, SECOND: SET}


def unreadable(name: str, text: bytes) -> Case:
    return refused(name, "data.manifest", with_manifest(text))


TORN = [
    cut(f"torn-{number}", tail)
    for number, tail in enumerate((
        b"*", b"*3", b"*3\r", b"*3\r\n", b"*3\r\n$", b"*3\r\n$3\r\n",
        SET[:-1], SET[:-2], SET[:-4], BINARY[:-1], BINARY[:40], BINARY[:130],
        command(b"SET", b"k" * 300_000)[:-7], b"#", b"#TS:17954", STAMP[:-1],
        MULTI, MULTI + SET, MULTI + SET[:-4], MULTI + SET + EXEC[:-1], MULTI + b"#TS:1",
        MULTI + BINARY[:-3], MULTI + SET + EXEC[:-3],
    ))
]  # fmt: skip

NULS = [
    cut(f"nuls-{number}", tail)
    for number, tail in enumerate((
        bytes(1), bytes(512), SET[:-4] + bytes(512), SET[:-1] + bytes(3),
        MULTI + SET + bytes(4096), STAMP[:7] + bytes(9), STAMP[:7] + bytes(4096),
        MULTI + STAMP[:7] + bytes(4096), b"*3\r\n$5" + bytes(20), bytes(MAX_CUT),
        command(b"SET", b"k", bytes(90))[:-30],
    ))
]  # fmt: skip

DAMAGED = [
    damaged("byte-lost", WHOLE + SET[1:] + SET),
    damaged("length-too-short", WHOLE + SET.replace(b"$1", b"$0") + SET),
    damaged("length-swallows-commands", WHOLE + SET.replace(b"$1\r\nv", b"$999\r\nv") + SET + SET),
    damaged("length-is-no-number", WHOLE + SET.replace(b"$3", b"$x") + SET),
    damaged("count-too-large", WHOLE + SET.replace(b"*3", b"*4") + SET),
    damaged("no-line-end", WHOLE + SET.replace(b"k\r\n", b"k\rX") + SET),
    damaged("line-feed-alone", WHOLE + SET.replace(b"k\r\n", b"k\n") + SET),
    damaged("blank-line", WHOLE + b"\n" + SET),
    damaged("exec-alone", WHOLE + EXEC + SET),
    damaged("multi-in-multi", WHOLE + MULTI + SET + TRANSACTION),
    damaged("stamp-in-an-open-transaction", WHOLE + MULTI + SET + STAMP + SET),
    damaged("stamp-then-nuls-in-it", WHOLE + MULTI + SET + STAMP + bytes(9)),
    damaged("nuls-in-the-middle", WHOLE + bytes(512) + SET),
    damaged("one-behind-the-nuls", WHOLE + bytes(9) + b"\x01"),
    damaged("ones-are-no-nuls", WHOLE + b"\x01" * 9),
    damaged("a-base-as-increment", READ_BY_ALL),
    damaged("a-manifest-as-increment", LINE),
    damaged("stamp-longer-than-servers-read", WHOLE + b"#" + b"x" * 1500 + b"\n"),
    damaged("nothing-known", b"\n" + WHOLE),
    damaged("far-from-the-end", WHOLE + SET[1:] + SET * 50_000),
    refused("nuls-for-long", "data.long_tail", folder(WHOLE + bytes(MAX_CUT + 1))),
    refused("open-for-long", "data.long_tail", folder(WHOLE + MULTI + SET * 40_000)),
    refused("torn-for-long", "data.long_tail", folder(WHOLE + LONG[:-1])),
]  # fmt: skip

SEVERAL = [
    fine("two-increments", with_manifest(BASE_LINE + LINE + SECOND_LINE)),
    refused(
        "earlier-torn", "data.torn_earlier",
        folder(WHOLE + SET[:-4]) | {MANIFEST: LINE + SECOND_LINE, SECOND: SET},
    ),
    refused(
        "earlier-open", "data.torn_earlier",
        folder(WHOLE + MULTI) | {MANIFEST: LINE + SECOND_LINE, SECOND: b""},
    ),
    refused(
        "earlier-damaged", "data.corrupt",
        folder(SET[1:] + WHOLE) | {MANIFEST: LINE + SECOND_LINE, SECOND: SET[:-4]},
    ),
    Case(
        "last-torn",
        folder() | {MANIFEST: LINE + SECOND_LINE, SECOND: SET + MULTI},
        folder() | {MANIFEST: LINE + SECOND_LINE, SECOND: SET}
        | {f"cut/appendonly.aof.2.incr.aof.{len(SET)}": MULTI},
    ),
]  # fmt: skip

MANIFESTS = [
    fine("history", with_manifest(BASE_LINE + b"file gone seq 1 type h\n" + LINE)),
    fine("other-keys", with_manifest(BASE_LINE + LINE[:-1] + b" startoffset 0 endoffset 7\n")),
    fine("comment", with_manifest(b"# by hand\n" + BASE_LINE + LINE)),
    fine("tabs", with_manifest(b"\t" + BASE_LINE + LINE.replace(b" ", b"\t "))),
    fine("returns", with_manifest(BASE_LINE[:-1] + b"\r\n" + LINE)),
    fine("keys-in-capitals", with_manifest(LINE.replace(b"seq", b"SEQ"))),
    fine("no-base", with_manifest(LINE)),
    fine("base-alone", with_manifest(BASE_LINE)),
    fine("number-with-rest", with_manifest(LINE.replace(b"seq 1", b"seq +1x"))),
    unreadable("empty", b""),
    unreadable("blank", BASE_LINE + b"\n" + LINE),
    unreadable("no-line-end", BASE_LINE + LINE[:-1]),
    unreadable("zero-byte", BASE_LINE + LINE.replace(b"type", b"\0type")),
    unreadable("long-line", b"#\n" + LINE[:-1] + b" x " + b"y" * 1000 + b"\n"),
    unreadable("odd-words", BASE_LINE + LINE[:-1] + b" x\n"),
    unreadable("few-words", BASE_LINE + b"file x seq 1\n"),
    unreadable("no-sequence", BASE_LINE + LINE.replace(b"seq 1", b"seq 0")),
    unreadable("sequence-in-words", BASE_LINE + LINE.replace(b"seq 1", b"seq one")),
    unreadable("no-kind", BASE_LINE + LINE.replace(b"type i", b"type x")),
    unreadable("key-missing", BASE_LINE + LINE.replace(b"type", b"kind")),
    unreadable("path", LINE.replace(b"file ", b"file ../appendonlydir/")),
    unreadable("two-bases", BASE_LINE + BASE_LINE + LINE),
    unreadable("sequence-falls", BASE_LINE + SECOND_LINE + LINE),
    refused("no-increment", "data.missing_file", with_manifest(ABSENT)),
    refused("no-base-file", "data.missing_file", with_manifest(ABSENT_BASE + LINE)),
]  # fmt: skip

BASES = [
    fine("base-no-rdb", with_manifest(OTHER_BASE + LINE) | {f"{BASE[:-4]}.aof": SET}),
    refused("base-emptied", "data.corrupt", folder() | {BASE: b""}),
    refused("base-of-nuls", "data.corrupt", folder() | {BASE: bytes(99)}),
    refused("base-of-the-future", "data.newer_server", folder() | {BASE: b"REDIS0099\xff"}),
]  # fmt: skip

FORMS = [
    fine("nothing", {}),
    fine("nothing-of-redis", {"lost+found/x": b""}),
    fine("first-start-ended", {INCREMENT: b"", BASE: EMPTY_BASE}),
    fine("first-start-ended-early", {BASE: b""}),
    fine("temporary-files-alone", {"appendonlydir/temp-appendonly.aof.incr": SET}),
    fine("snapshot-beside", folder() | {"dump.rdb": READ_BY_ALL, "appendonly.aof": SET}),
    refused("snapshot-alone", "data.rdb_only", {"dump.rdb": READ_BY_ALL}),
    refused("single-file", "data.single_file", {"appendonly.aof": SET, "dump.rdb": READ_BY_ALL}),
    refused("no-manifest", "data.manifest", {BASE: EMPTY_BASE, INCREMENT: SET}),
    refused("no-manifest-and-keys", "data.manifest", {BASE: READ_BY_ALL}),
    refused("no-manifest-torn-base", "data.manifest", {BASE: EMPTY_BASE[:20]}),
    Case(
        "left-behind",
        folder(WHOLE + SET[:5])
        | {
            "temp-rewriteaof-7.aof": SET, "temp-rewriteaof-bg-7.aof": SET, "temp-7.rdb": SET,
            "appendonlydir/temp-appendonly.aof.manifest": LINE,
            "appendonlydir/temp-appendonly.aof.incr": SET, "temporary": SET,
        },
        folder()
        | {
            f"{CUT}.{len(WHOLE)}": SET[:5],
            "appendonlydir/temp-appendonly.aof.incr": SET, "temporary": SET,
        },
    ),
]  # fmt: skip

KEPT = f"{CUT}.{len(WHOLE)}"
INTERRUPTED = [
    Case(name, folder(WHOLE + SET[:5]) | before, folder() | before | after)
    for name, before, after in (
        ("kept-already", {KEPT: SET[:5]}, {}),
        ("another-kept", {KEPT: SET[:4]}, {f"{KEPT}-2": SET[:5]}),
        ("two-others-kept", {KEPT: b"", f"{KEPT}-2": SET}, {f"{KEPT}-3": SET[:5]}),
        ("second-kept", {KEPT: b"", f"{KEPT}-2": SET[:5]}, {}),
    )
] + [
    Case(
        "half-kept", folder(WHOLE + SET[:5]) | {f"{KEPT}.new": SET[:2]}, folder() | {KEPT: SET[:5]}
    )
]

INCREMENTS = [
    fine("whole", folder()),
    fine("empty-increment", folder(b"")),
    fine("whole-with-a-long-stamp", folder(WHOLE + b"#" + b"x" * 1021 + b"\n")),
    cut("torn-from-the-first-byte", b"*3\r\n$3\r\nSE", before=b""),
    cut("stamp-torn-at-the-first-byte", b"#TS:1", before=b""),
    cut("nuls-alone", bytes(4096), before=b""),
    *TORN, *NULS, *DAMAGED, *SEVERAL,
]  # fmt: skip
"""What the server's own checker has a part in."""

FOLDERS = [*MANIFESTS, *BASES, *FORMS, *INTERRUPTED]
"""What the script decides by itself."""

DIFFERENT = [
    (
        fine("count-with-a-zero-before-it", folder(WHOLE + SET.replace(b"*3", b"*03"))),
        "data.corrupt",
    ),
    (
        refused("quoted-name", "data.manifest", with_manifest(b'"file" x seq 1 type i\n')),
        "data.missing_file",
    ),
]
"""What the script does, and the code of core/aof, which differs; docs/adr/0032 says why."""
