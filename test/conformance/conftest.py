"""Which backend the suite runs on, what that backend refuses, and the count at the end."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE)]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption(
        "--backend", default="cpu", metavar="NAME[:TARGET]",
        help="a device or target, or 'interpreter' (default: cpu); compiled for if not here",
    )  # fmt: skip
    group.addoption(
        "--setting", action="append", default=[], metavar="NAME=VALUE", help="of the device"
    )
    group.addoption("--compile-only", action="store_true", help="compile kernels, run none")
    group.addoption("--sample", type=int, default=1, metavar="N", help="every Nth group of cases")
    group.addoption(
        "--core", action="store_true", help="each primitive on int32 and float32, or two others"
    )
    group.addoption(
        "--isolate", action="store_true", help="in child processes: a crash is one failure"
    )
    group.addoption("--conformance-json", default="", help="write each case's outcome to this file")


def pytest_configure(config: pytest.Config) -> None:
    from place import INTERPRETER

    if config.getoption("--backend") == INTERPRETER:
        os.environ["TRITON_INTERPRET"] = "1"
    # A worker's cases must land together: they share kernels (see `Case.group`).
    if getattr(config.option, "dist", "no") in ("load", "worksteal"):
        config.option.dist = "loadgroup"
    config.stash[_OUTCOMES] = {}


@pytest.fixture(scope="session")
def place(request: pytest.FixtureRequest):
    """Where the cases run."""
    from place import resolve

    option = request.config.getoption
    return resolve(option("--backend"), option("--setting"), option("--compile-only"))


_OUTCOMES = pytest.StashKey[dict[str, dict[str, str]]]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    outcome = yield
    case = getattr(item, "callspec", None) and item.callspec.params.get("case")
    if case is not None:
        report = outcome.get_result()
        place = item.funcargs.get("place")
        report.user_properties.append(
            ("conformance", {"id": case.id, "primitive": case.primitive, "dtype": case.dtype,
                             "good": place.outcome if place else "pass"})
        )  # fmt: skip


def _headline(report: pytest.TestReport) -> str:
    """The first line of what a failed case says; "" for a good one."""
    if not report.failed:
        return ""
    crash = getattr(report.longrepr, "reprcrash", None)
    said = str(crash.message if crash else report.longrepr)
    return next((line for line in said.splitlines() if line.strip()), "")[:300]


class Recorder:
    """Collects outcomes in the process that prints the summary, with or without xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and not report.failed:
            return
        for name, value in report.user_properties:
            if name == "conformance":
                refused = hasattr(report, "wasxfail") and report.skipped
                good = value["good"]
                result = "refused" if refused else good if report.passed else "fail"
                reason = getattr(report, "wasxfail", "") if refused else _headline(report)
                self.config.stash[_OUTCOMES][value["id"]] = {
                    "id": value["id"], "primitive": value["primitive"], "dtype": value["dtype"],
                    "outcome": result, "reason": reason.removeprefix("reason: "),
                }  # fmt: skip


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.pluginmanager.register(Recorder(session.config))


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    outcomes = list(config.stash[_OUTCOMES].values())
    if not outcomes:
        return
    passed = sum(o["outcome"] in ("pass", "compiles") for o in outcomes)
    refused = sum(o["outcome"] == "refused" for o in outcomes)
    primitives = {o["primitive"] for o in outcomes}
    backend = ",".join([config.getoption("--backend"), *config.getoption("--setting")])
    compiled = any(o["outcome"] == "compiles" for o in outcomes)
    verb = "compile" if compiled else "pass"
    terminalreporter.write_line(
        f"conformance on {backend}: {passed}/{len(outcomes)} cases {verb}, {refused} refused, "
        f"{len(outcomes) - passed - refused} fail; {len(primitives)} primitives"
    )
    path = config.getoption("--conformance-json")
    if path:
        import triton

        mode = "compile" if compiled else "run"
        data = {"backend": backend, "mode": mode, "triton": triton.__version__}
        if config.getoption("--core"):
            data["selection"] = "core"
        data |= {"cases": sorted(outcomes, key=lambda o: o["id"])}
        Path(path).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
