"""Which backend the suite runs on, what that backend refuses, and the count at the end."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
INTERPRETER = "interpreter"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--backend", default="cpu", help="a backend, or 'interpreter' (default: cpu)")
    group.addoption(
        "--isolate", action="store_true", help="in child processes: a crash is one failure"
    )
    group.addoption("--conformance-json", default="", help="write each case's outcome to this file")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--backend") == INTERPRETER:
        os.environ["TRITON_INTERPRET"] = "1"
    sys.path[:0] = [str(HERE)]
    # A worker's cases must land together: they share kernels (see `Case.group`).
    if getattr(config.option, "dist", "no") in ("load", "worksteal"):
        config.option.dist = "loadgroup"
    config.stash[_OUTCOMES] = {}


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> str:
    """The torch device whose tensors reach the backend; the host serves the interpreter too."""
    backend = request.config.getoption("--backend")
    return "cpu" if backend in ("cpu", INTERPRETER) else backend


_OUTCOMES = pytest.StashKey[dict[str, dict[str, str]]]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    outcome = yield
    case = getattr(item, "callspec", None) and item.callspec.params.get("case")
    if case is not None:
        report = outcome.get_result()
        report.user_properties.append(
            ("conformance", {"id": case.id, "primitive": case.primitive, "dtype": case.dtype})
        )


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
                result = "refused" if refused else "pass" if report.passed else "fail"
                reason = getattr(report, "wasxfail", "") if refused else ""
                self.config.stash[_OUTCOMES][value["id"]] = {
                    **value, "outcome": result, "reason": reason.removeprefix("reason: "),
                }  # fmt: skip


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.pluginmanager.register(Recorder(session.config))


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    outcomes = list(config.stash[_OUTCOMES].values())
    if not outcomes:
        return
    passed = sum(o["outcome"] == "pass" for o in outcomes)
    refused = sum(o["outcome"] == "refused" for o in outcomes)
    primitives = {o["primitive"] for o in outcomes}
    backend = config.getoption("--backend")
    terminalreporter.write_line(
        f"conformance on {backend}: {passed}/{len(outcomes)} cases pass, {refused} refused, "
        f"{len(outcomes) - passed - refused} fail; {len(primitives)} primitives"
    )
    path = config.getoption("--conformance-json")
    if path:
        data = {"backend": backend, "cases": sorted(outcomes, key=lambda o: o["id"])}
        Path(path).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
