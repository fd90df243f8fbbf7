"""The text of compiler messages, and the compilation stage around a stand-in compiler."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from seagrove.compiler import native as native_module
from seagrove.compiler import stages
from seagrove.compiler.cache import RecentResults
from seagrove.compiler.diagnostics import Diagnostic, compile_error, explain, format_diagnostic
from seagrove.compiler.options import CodegenOptions
from seagrove.compiler.targets import TargetDescription
from seagrove.errors import CompileError, SeagroveError

TARGET = TargetDescription("t", "any", "any")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "user.py"
    path.write_text("def kernel(x):\n    y = x.frob()\n\ttabbed = 1\n")
    return path


def test_message_with_source_and_caret(source):
    item = Diagnostic("error", "no 'frob'", str(source), 2, 9, "SG0001", ("because",))
    assert format_diagnostic(item).splitlines() == [
        "error[SG0001]: no 'frob'",
        f"  --> {source}:2:9",
        "2 |     y = x.frob()",
        "  |         ^",
        "  = note: because",
        "  = do:   "
        + "Report it with the output of `seagrove compile FILE.py::kernel --emit ttir`.",
        "  = more: seagrove explain SG0001",
    ]


def test_caret_below_a_tab(source):
    lines = format_diagnostic(Diagnostic("error", "x", str(source), 3, 2)).splitlines()
    assert lines[2:] == ["3 | \ttabbed = 1", "  | \t^"]


def test_notes_about_the_ir_are_dropped():
    notes = ["see current operation: %0 = ...", "because"]
    item = SimpleNamespace(**{**vars(diagnostic("error", "x")), "notes": notes})
    assert Diagnostic.from_native(item).notes == ("because",)


def test_message_without_place_or_source():
    assert format_diagnostic(Diagnostic("warning", "slow")) == "warning: slow"
    lines = format_diagnostic(Diagnostic("error", "x", "gone.py", 3)).splitlines()
    assert lines == ["error: x", "  --> gone.py:3"]


def test_compile_error_lists_errors_only():
    error = compile_error([Diagnostic("remark", "fyi"), Diagnostic("error", "bad", code="SG0001")])
    assert error.code == "SG0001" and "bad" in str(error) and "fyi" not in str(error)
    assert len(error.diagnostics) == 2


def test_failure_without_a_reason_is_a_defect_of_ours():
    assert compile_error([]).code == "SG0001"


def test_explain():
    assert explain("sg0609").startswith("SG0609: the grid is not possible\n\nWhy\n")
    with pytest.raises(KeyError):
        explain("SG9999")


def test_error_text():
    error = SeagroveError("It broke", code="SG0001", why="so", advice="mend")
    assert str(error).splitlines() == [
        "It broke",
        "  why: so",
        "  do:  mend",
        "  [SG0001; more by: seagrove explain SG0001]",
    ]


class StandIn:
    """A native module whose compiler answers with what it was given."""

    Target = CompileOptions = SimpleNamespace

    def __init__(self, **answer):
        self.calls = 0
        self.answer = {
            "ok": True,
            "output": b"code",
            "symbol": "k",
            "scratch_bytes": 64,
            "waits": False,
        }
        self.answer |= {"diagnostics": [], "timings": [], "decisions": []} | answer

    def compile(self, ttir, target, options):
        self.calls += 1
        self.options = options
        return SimpleNamespace(**self.answer)


def diagnostic(severity, message):
    return SimpleNamespace(
        severity=severity, message=message, file="", line=0, column=0, code="", notes=[]
    )


def test_stage_passes_options_and_remembers(monkeypatch):
    monkeypatch.setattr(stages, "_recent", RecentResults())
    compiler = StandIn(diagnostics=[diagnostic("remark", "not vectorised")])
    with native_module.override(compiler):
        options = CodegenOptions(opt_level=1, enable_fp_fusion=False)
        compiled = stages.compile_ttir("module {}", TARGET, options)
        again = stages.compile_ttir("module {}", TARGET, options)
        stages.compile_ttir("module {}", TARGET, CodegenOptions())
    assert compiled is again and compiler.calls == 2
    assert (compiled.output, compiled.symbol, compiled.scratch_bytes) == (b"code", "k", 64)
    assert [item.message for item in compiled.remarks] == ["not vectorised"]


def test_stage_raises_and_warns(monkeypatch):
    monkeypatch.setattr(stages, "_recent", RecentResults())
    failing = StandIn(ok=False, diagnostics=[diagnostic("error", "no such op")])
    with native_module.override(failing), pytest.raises(CompileError, match="no such op"):
        stages.compile_ttir("module {}", TARGET, CodegenOptions())
    warning = StandIn(diagnostics=[diagnostic("warning", "slow")])
    with native_module.override(warning), pytest.warns(UserWarning, match="slow"):
        stages.compile_ttir("module {}", TARGET, CodegenOptions())
    with pytest.raises(ValueError, match="cannot emit 'poem'"):
        stages.compile_ttir("module {}", TARGET, CodegenOptions(), emit="poem")


def test_recent_results_forget_the_oldest():
    recent: RecentResults[int] = RecentResults(capacity=2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 3)
