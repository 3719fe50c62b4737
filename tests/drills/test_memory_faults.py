"""Memory that is full by the kernel's measure; by the server's own it is in test_ci_set.py."""

import pytest

from sturdis.core.drill.faults.memory import MemoryKernel
from tests.drills.rigs import faulty, figure

pytestmark = pytest.mark.tier("embedded")


@pytest.mark.tier("memory-limit")
@pytest.mark.parametrize("maxmemory", [None, "0"], ids=["ours", "none"])
def test_the_kernel_ends_a_server_without_maxmemory_and_none_with_ours(maxmemory, tmp_path):
    settings = {} if maxmemory is None else {"maxmemory": maxmemory}
    with faulty(tmp_path, MemoryKernel(), "embedded", settings=settings) as fault:
        fault.inject(1)
        fault.undo(1, 20)
        assert fault.rig.call("PING") == b"PONG"
        assert bool(figure(fault, "kernel_kills")) is (maxmemory == "0")
        assert bool(figure(fault, "failed_rewrites")) is (maxmemory == "0")
        assert figure(fault, "peak_of_limit") <= 1
