import importlib.metadata
import json
import os
import pty
import subprocess

import pytest

from tests.integration.running import STURDIS, error_code, running, sturdis
from tests.integration.servers import start_server, wait_until

pytestmark = pytest.mark.tier("embedded")


@pytest.fixture(scope="module")
def up():
    with running("--ephemeral", "--server", "embedded") as up:
        yield up


def cli(up, *words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return sturdis("cli", "--target", up.url, *options, *words)


def test_a_pipe_gets_the_reply_alone(up):
    assert cli(up, "set", "k", "v").stdout == "OK\n"
    assert cli(up, "get", "k").stdout == "v\n"
    assert cli(up, "rpush", "l", "a", "b").stdout == "2\n"
    assert cli(up, "lrange", "l", "0", "-1").stdout == "a\nb\n"
    assert cli(up, "get", "none").stdout == "\n"


def test_a_terminal_sees_what_redis_cli_shows(up):
    leader, follower = pty.openpty()
    command = [*STURDIS, "cli", "--target", up.url, "config", "get", "appendonly"]
    subprocess.run(command, stdout=follower, check=True)
    os.close(follower)
    assert os.read(leader, 4096) == b'1) "appendonly"\r\n2) "yes"\r\n'
    os.close(leader)


def test_json_is_for_programs(up):
    cli(up, "rpush", "j", "a", "b")
    assert json.loads(cli(up, "lrange", "j", "0", "-1", options=("--json",)).stdout) == ["a", "b"]
    refused = cli(up, "nonsense", options=("--json",))
    assert refused.returncode == 1
    assert "unknown command" in json.loads(refused.stdout)["error"]


def test_an_error_reply_is_printed_whole_and_the_status_is_one(up):
    cli(up, "set", "s", "x")
    answer = cli(up, "lpush", "s", "y")
    assert (answer.returncode, answer.stdout.split()[0]) == (1, "WRONGTYPE")
    assert cli(up, "nonsense").stdout.startswith("ERR unknown command")


def test_words_that_look_like_options_belong_to_the_command(up):
    assert cli(up, "echo", "--json").stdout == "--json\n"
    assert cli(up, "echo", "-n").stdout == "-n\n"


def test_bytes_pass_unchanged_both_ways(up):
    command = [*map(os.fsencode, STURDIS), b"cli", b"--target", up.url.encode()]
    subprocess.run([*command, b"set", b"raw", b"\xff\xfe"], check=True, stdout=subprocess.DEVNULL)
    answer = subprocess.run([*command, b"get", b"raw"], check=True, stdout=subprocess.PIPE)
    assert answer.stdout == b"\xff\xfe\n"


def test_a_command_that_waits_is_waited_for(up):
    with subprocess.Popen(
        [*STURDIS, "cli", "--target", up.url, "blpop", "later", "0"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until(lambda: "cmd=blpop" in cli(up, "client", "list").stdout, "the wait")
        cli(up, "rpush", "later", "x")
        assert process.communicate(timeout=20)[0] == "later\nx\n"


@pytest.mark.parametrize(
    "command",
    ["subscribe x", "MONITOR", "hello 3", "client reply off", "CLIENT Reply skip", "client reply"],
)
def test_a_command_without_one_reply_is_refused(up, command):
    for words in (command.split(), [command]):  # the client sends one word with a space as two
        answer = cli(up, *words)
        assert (answer.returncode, error_code(answer)) == (2, "usage")


def test_a_command_that_asks_for_its_reply_has_one(up):
    assert cli(up, "client", "reply", "on").stdout == "OK\n"


def test_a_server_that_was_told_to_shut_down_did_what_was_asked(tmp_path):
    with start_server(tmp_path) as server:
        answer = sturdis("cli", "--target", f"redis://127.0.0.1:{server.port}", "shutdown")
        assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
        assert server.process.wait(10) == 0


def test_a_database_is_chosen_by_the_address(up):
    assert sturdis("cli", "--target", f"{up.url}/5", "set", "five", "5").returncode == 0
    assert cli(up, "exists", "five").stdout == "0\n"
    answer = sturdis("cli", "--target", f"{up.url}/999", "ping")
    assert answer.returncode == 13
    assert "Traceback" not in answer.stderr


def test_a_closed_pipe_is_no_error(up):
    line = f"set -o pipefail; {' '.join(STURDIS)} cli --target {up.url} command | head -1"
    answer = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_full_disk_behind_the_output_is_told_of(up):
    line = f"{' '.join(STURDIS)} cli --target {up.url} ping > /dev/full"
    answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert (answer.returncode, error_code(answer)) == (15, "output.lost")


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("verify", "--help")])
def test_a_full_disk_behind_the_help_is_told_of(words):
    line = f"{' '.join(STURDIS)} {' '.join(words)} > /dev/full"
    answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert (answer.returncode, error_code(answer)) == (15, "output.lost")


def test_a_full_disk_behind_the_errors_leaves_the_status():
    line = f"{' '.join(STURDIS)} 2> /dev/full"
    answer = subprocess.run(["sh", "-c", line], capture_output=True, check=False)
    assert (answer.returncode, answer.stdout) == (2, b"")


INTERRUPTED_WHILE_LOADING = """
import os, signal, sys

class Interrupting:
    def find_spec(name, *_rest):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting)
sys.argv = ["sturdis", "--help"]
from sturdis.__main__ import main
main()
"""


def test_an_interrupt_while_the_command_line_is_loaded_is_quiet():
    command = [STURDIS[0], "-c", INTERRUPTED_WHILE_LOADING]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout, answer.stderr) == (130, "", "interrupted\n")


def test_the_installed_command_begins_where_python_m_does():
    (command,) = importlib.metadata.entry_points(group="console_scripts", name="sturdis")
    assert command.value == "sturdis.__main__:main"


@pytest.mark.parametrize("words", [("verify", ""), ("cli", "--target", "", "ping")])
def test_an_empty_target_is_refused_and_not_the_running_up(up, words):
    answer = sturdis(*words)
    assert (answer.returncode, error_code(answer)) == (2, "usage.address")


def test_several_up_are_told_apart_by_the_verb_that_was_used():
    ephemeral = ("--ephemeral", "--server", "embedded")
    with running(*ephemeral), running(*ephemeral):
        answer = sturdis("cli", "ping")
        assert error_code(answer) == "target.ambiguous"
        do = answer.stderr.rpartition("name one: sturdis ")[2]
        assert sturdis(*do.split(), "ping").stdout == "PONG\n"
