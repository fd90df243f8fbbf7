"""Programs that wait for each other come to an end, on any number of threads.

They run in a process of their own: a deadlock is a failure, not a test run that hangs.
"""

from __future__ import annotations

import subprocess
import sys

import kernels
import numpy as np
import progress_programs
import pytest

SECONDS = 120


@pytest.mark.parametrize("threads", [1, 2])
def test_programs_that_wait(threads):
    command = [sys.executable, progress_programs.__file__, str(threads)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as late:
        names = (late.stdout or b"").decode().split()
        pytest.fail(f"on {threads} threads, this case does not end: {names[-1:]}")
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert done.stdout.split() == list(progress_programs.CASES)


def test_only_kernels_that_wait_are_treated_so():
    counts = np.zeros(64, np.int32)
    waiting = progress_programs.ticket_kernel.warmup(counts, counts, counts, BLOCK=64, grid=(1,))
    # Whoever has its lock gives it back, so that programs may come in any order.
    locked = progress_programs.locked_kernel.warmup(counts, counts, BLOCK=64, grid=(1,))
    plain = kernels.mark.warmup(counts, grid=(1,))
    assert waiting.metadata.waits
    assert not locked.metadata.waits and not plain.metadata.waits
