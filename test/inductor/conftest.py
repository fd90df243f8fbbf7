"""What the tests here share: Inductor set to generate Triton kernels for the CPU."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

torch = pytest.importorskip("torch")


class Recorder:
    """Counts the launches of our driver's kernels and keeps what Inductor generates."""

    def __init__(self) -> None:
        self.launches: Counter[str] = Counter()
        self.code: list[str] = []

    def note_launch(self, metadata: Any) -> None:
        self.launches[metadata.get()["name"]] += 1

    def run(self, function: Callable[[], Any]) -> Any:
        """What `function()` gives; Inductor's code is kept, launches are counted anew."""
        from torch._inductor.utils import run_and_get_code

        self.launches.clear()
        result, code = run_and_get_code(function)
        self.code = code
        return result

    def check(self) -> None:
        """Every kernel in the code is a Triton kernel, and each has run, on our driver."""
        from triton.runtime.driver import driver

        text = "\n".join(self.code)
        kernels = set(re.findall(r"^(triton_\w+) = async_compile\.triton", text, re.MULTILINE))
        assert kernels, "Inductor generated no Triton kernel"
        assert "cpp_fused" not in text and "cpp_pybinding" not in text
        assert driver.active.get_current_target().backend == "cpu"
        missing = {name for name in kernels if not any(name in ran for ran in self.launches)}
        assert not missing, f"kernels that were compiled and never launched: {missing}"


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Fresh compilations by Inductor with `cpu_backend = "triton"`, in this process.

    By default Inductor also times two block sizes of each elementwise kernel, which takes long.
    """
    import torch._inductor.config as config
    import triton

    torch._dynamo.reset()
    found = Recorder()
    hook = triton.knobs.runtime.launch_enter_hook
    hook.add(found.note_launch)
    try:
        with (
            config.patch(cpu_backend="triton", compile_threads=1, force_disable_caches=True),
            config.patch({"triton.autotune_pointwise": False}),
        ):
            yield found
    finally:
        hook.remove(found.note_launch)


@pytest.fixture(scope="session", autouse=True)
def caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Empty caches of compiled kernels and of Inductor's files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_CACHE_DIR", str(tmp_path_factory.mktemp("triton")))
        patch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path_factory.mktemp("inductor")))
        yield
