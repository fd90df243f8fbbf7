"""What can only be seen on a machine with a GPU; skipped everywhere else.

python -m pytest third_party/nvidia/test/test_gpu.py
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import seagrove
from seagrove.runtime import registry

ROOT = Path(__file__).parents[3]
NVIDIA = registry.find("nvidia").probe()
pytestmark = pytest.mark.skipif(not NVIDIA.usable, reason=f"NOT TESTED: {NVIDIA.why}")

if NVIDIA.usable:
    import torch
    import triton
    import triton.language as tl

    @triton.jit
    def add_one(x, out, n, BLOCK: tl.constexpr):
        at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        tl.store(out + at, tl.load(x + at, at < n) + 1, at < n)

    @triton.jit
    def wrong_instruction(x):
        made = tl.inline_asm_elementwise("bogus $0;", "=r", [], tl.int32, True, 1)
        tl.store(x, made)


def launch(device: str, **options):
    x = torch.arange(1000, dtype=torch.float32, device=device)
    out = torch.zeros_like(x)
    compiled = add_one[(triton.cdiv(1000, 256),)](x, out, 1000, BLOCK=256, **options)
    assert torch.equal(out, x + 1)
    return compiled


def test_tensors_choose_the_device():
    assert "cubin" in launch("cuda").asm
    assert "cubin" not in launch("cpu").asm
    assert "cubin" in launch("cuda").asm


def test_explicit_choice():
    for name in ("nvidia", "nvidia:0"):
        with seagrove.use(name):
            assert "cubin" in launch("cuda").asm
    assert "cubin" in launch("cuda", backend="nvidia").asm


def test_every_gpu():
    for index in range(torch.cuda.device_count()):
        launch(f"cuda:{index}")


def test_threads_on_host_and_gpu():
    failures: list[BaseException] = []

    def work(device: str) -> None:
        try:
            for _ in range(50):
                launch(device)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(kind,)) for kind in ("cuda", "cpu") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_streams_and_events():
    from triton.testing import do_bench

    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        launch("cuda")
    x = torch.zeros(1 << 20, device="cuda")
    milliseconds = do_bench(lambda: add_one[(4096,)](x, x, 1 << 20, BLOCK=256))
    assert 0 < milliseconds < 10


def test_memory_of_the_device():
    tensor = seagrove.asarray(torch.arange(16, dtype=torch.float32).numpy(), device="nvidia")
    out = seagrove.zeros(16, tensor.dtype, device="nvidia")
    add_one[(1,)](tensor, out, 16, BLOCK=16)
    assert bytes(out.bytes()) == (torch.arange(16) + 1).float().numpy().tobytes()


def test_errors_are_at_the_users_line():
    x = torch.zeros(1, dtype=torch.int32, device="cuda")
    with pytest.raises(seagrove.errors.CompileError, match=r"test_gpu\.py") as caught:
        wrong_instruction[(1,)](x)
    assert caught.value.code == "SG0732"


@pytest.mark.parametrize("command", [["-m", "seagrove", "doctor"], ["examples/run_all.py"]])
def test_commands(command):
    """Doctor runs its kernel on the GPU; the examples on the host are as they were."""
    more = ["--quick"] if "run_all" in command[0] else []
    done = subprocess.run(
        [sys.executable, *command, *more], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if not more:
        assert "nvidia: PASS" in done.stdout


def test_a_sample_of_the_conformance_suite():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "test/conformance", "--backend", "nvidia"]
        + ["--isolate", "--core", "--sample", "4"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
