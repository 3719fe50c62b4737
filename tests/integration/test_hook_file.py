"""The file of hooks on disk."""

import pytest

from sturdis.adapters.drill_cluster import hook_file
from sturdis.core.drill import hooks
from sturdis.core.errors import DrillError


def test_a_program_named_by_a_path_is_taken_from_the_folder_of_its_file(tmp_path):
    file = tmp_path / "hooks.yaml"
    file.write_text("kill: [./hand, kill]\nnode-crash: [ssh, a/b]\nnode-return: [/bin/true]\n")
    told = hook_file.read(file)
    assert told.kill == (str(tmp_path / "hand"), "kill")
    assert (told.node_crash, told.node_return) == (("ssh", "a/b"), ("/bin/true",))


def test_no_file_is_no_hooks():
    assert hook_file.read(None) == hooks.NONE


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not text"])
def test_a_file_that_cannot_be_read_is_told(content, tmp_path):
    file = tmp_path / "hooks.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DrillError) as refusal:
        hook_file.read(file)
    assert refusal.value.code == "drill.unreadable"
