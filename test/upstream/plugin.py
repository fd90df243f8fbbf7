"""Pytest plugin that runs Triton's own unit tests on a device that they were not written for.

It changes nothing of the tests: it answers what they ask of CUDA when they are imported, sends the
tensors that they hard-code to "cuda" to the device under test, skips what `exclusions.toml` names,
and records how each case ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode

EXCLUDED = "excluded: "
RECORD = "SEAGROVE_UPSTREAM_RECORD"
DEVICE = "SEAGROVE_UPSTREAM_DEVICE"


class CudaMeansDevice(TorchFunctionMode):
    """Tensors asked for on "cuda" are made on the device under test."""

    def __init__(self, device: str) -> None:
        self.device = device

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.Tensor.cuda:
            return args[0].to(self.device)
        if "device" in kwargs and _is_cuda(kwargs["device"]):
            kwargs["device"] = self.device
        if func is torch.Tensor.to:
            args = tuple(self.device if _is_cuda(a) else a for a in args)
        return func(*args, **kwargs)


def _is_cuda(device: object) -> bool:
    return isinstance(device, (str, torch.device)) and str(device).split(":")[0] == "cuda"


def _answer_for_cuda() -> None:
    """What modules and `skipif` marks ask when they are imported: there is no such GPU."""
    torch.cuda.get_device_capability = lambda device=None: (0, 0)
    torch.cuda.synchronize = lambda device=None: None
    torch.cuda.empty_cache = lambda: None
    torch.cuda.device = lambda device=None: contextlib.nullcontext()


def pytest_configure(config: pytest.Config) -> None:
    _answer_for_cuda()
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(Path(os.environ[RECORD])), "upstream-recorder")


def exclusions(triton_version: str) -> list[dict[str, str]]:
    """The rows of the list that hold for this version of Triton."""
    rows = tomllib.loads((Path(__file__).parent / "exclusions.toml").read_text())["exclude"]
    release = ".".join(triton_version.split(".")[:2])
    return [row for row in rows if release in row.get("only", [release])]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    import triton

    rows = [(re.compile(row["case"]), row) for row in exclusions(triton.__version__)]
    for item in items:
        name = item.nodeid.split("unit/", 1)[-1]
        for pattern, row in rows:
            if pattern.fullmatch(name):
                item.add_marker(pytest.mark.skip(reason=f"{EXCLUDED}{row['cause']}: {row['why']}"))
                break


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with CudaMeansDevice(os.environ[DEVICE]):
        return (yield)


class Recorder:
    """Writes one line of JSON per case: its name, how it ended, and why."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("w")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self._write(report.nodeid, _outcome(report), _reason(report), report.duration)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._write(report.nodeid, "failed", f"not collected: {report.longrepr}", 0.0)

    def _write(self, case: str, outcome: str, reason: str, seconds: float) -> None:
        row = {"case": case.split("unit/", 1)[-1], "outcome": outcome, "reason": reason}
        print(json.dumps({**row, "seconds": round(seconds, 3)}), file=self.file, flush=True)


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "expected failure" if report.skipped else "unexpected pass"
    if report.skipped:
        return "excluded" if EXCLUDED in _reason(report) else "skipped"
    if report.failed and "crashed while running" in str(report.longrepr):
        return "crashed"
    return str(report.outcome)


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr or "")[:4000]
