"""The benchmark suite: every kernel gives what torch gives, and the report says what was measured.

Times are not tested: `python -m benchmarks` measures them on a quiet machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "examples")]

from benchmarks import measure, plot, report, scaling  # noqa: E402
from benchmarks.case import EXACT, Case  # noqa: E402


@pytest.mark.slow
def test_all_kernels_are_right_in_a_smoke_run(tmp_path):
    out = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--smoke", "--threads", "2", "--json", str(out)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    document = json.loads(out.read_text())
    assert len(document["results"]) > 60
    assert all(row["passed"] for row in document["results"])


def case_of(ours, eager):
    import torch

    return Case(
        "group fp32", "4", torch.float32, lambda: (torch.arange(4.0), torch.empty(4)), ours, eager,
        lambda x: x + 1, EXACT, bytes=32, flops=4,
    )  # fmt: skip


def add_one(x, out):
    import torch

    return torch.add(x, 1, out=out)


def test_a_wrong_result_is_no_timing():
    case = case_of(lambda x, out: out.copy_(x), add_one)
    row = measure.measure(case, 1, measure.Budget(0.01), False, True, {})
    assert not row["passed"] and "error 1.00e+00" in row["failure"] and "ms" not in row


def test_an_exception_is_a_failed_row():
    row = measure.measure(
        case_of(lambda x, out: x[9], add_one), 1, measure.Budget(0.01), False, True, {}
    )
    assert not row["passed"] and "IndexError" in row["failure"]


def test_torch_is_left_out_where_it_takes_too_long():
    budget = measure.Budget(0.01, call_s=1.0)
    budget.learn("eager", case := case_of(add_one, add_one), 2.0)
    row = measure.measure(case, 1, budget, False, True, {})
    assert row["passed"] and "ratio" not in row and "about 2 s" in row["notes"][0]


def test_a_slow_first_call_is_no_sample():
    pauses = iter([0.2])
    samples = measure.interleaved({"eager": lambda: time.sleep(next(pauses, 0))}, 0.1)
    assert max(samples["eager"]) < 0.2 and len(samples["eager"]) >= 3


def sample_document():
    peak = {"gflops_per_s": 100.0, "by": "x"}
    stream = {"gbytes_per_s": 10.0, "by": "x"}
    measured = {
        "bandwidth": dict.fromkeys(("read", "copy", "add"), stream),
        "compute": dict.fromkeys(("fp32", "bf16", "fp16", "int8"), peak),
    }
    case = case_of(add_one, add_one)
    rows = []
    for threads, took in ((1, 0.002), (2, 0.001)):
        row = measure.start_row(case, threads) | {"passed": True}
        samples = {"ours": [took], "eager": [0.001]}
        measure.add_times(row, case, samples, measure.Budget())
        measure.add_roofline(row, case, measured)
        rows.append(row)
    facts = {"cpu": "a <CPU>", "torch": "1", "target": "t"}
    return report.assemble(facts, {"1": measured, "2": measured}, rows, [])


def test_figures_of_a_row():
    row = sample_document()["results"][0]
    assert (row["ms"], row["ratio"], row["ratio_to_best"]) == (2.0, 0.5, 0.5)
    # 32 bytes at 10 GB/s take 3.2 ns, 4 operations at 100 GFLOP/s 0.04 ns.
    assert row["bound"] == "memory"
    assert row["roofline"] == pytest.approx(3.2e-9 / 2e-3)


def test_report_means_and_slow_cases(monkeypatch, tmp_path):
    reasons = tmp_path / "reasons.toml"
    entry = '[[reason]]\ncases = "group *"\ncpu = "a * t"\n'
    reasons.write_text(f'{entry}threads = 2\nwhy = "two"\n{entry}why = """told\nbelow"""\n')
    monkeypatch.setattr(report.load_reasons, "__defaults__", (reasons,))
    document = sample_document()
    assert [(m["group"], m["threads"], m["ratio"]) for m in document["geomeans"]] == [
        ("group fp32", 1, 0.5), ("group fp32", 2, 1.0), ("all", 1, 0.5), ("all", 2, 1.0)
    ]  # fmt: skip
    assert document["speedups"] == [{"group": "group fp32", "threads": 2, "speedup": 2.0}]
    assert [row["why"] for row in document["slow"]] == ["told below"]
    assert "! 0.50 group fp32 4 (1 thr): told below" in report.summary(document)


def test_speed_up_of_several_cores():
    """Each number of cores runs in turn, after its own call that warms up."""
    torch = pytest.importorskip("torch")
    before, seen = torch.get_num_threads(), []

    def call(threads):
        assert torch.get_num_threads() == threads
        seen.append(threads)
        time.sleep(2e-3 / threads)

    try:
        found = scaling.in_turn({"ours": call}, 2, 0.01)
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {1, 2} and found["ours"]["turns"] == 5
    assert found["ours"]["speedup"] > 0 and found["ours"]["least_ms"] >= 1
    assert scaling.line("a case", found).startswith("a case")


def test_files_can_be_read(tmp_path):
    document = sample_document()
    report.write_json(document, tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text())["results"][0]["ratio"] == 0.5
    report.write_csv(document["results"], tmp_path / "r.csv")
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 3
    plot.write_svg(document, tmp_path / "r.svg")
    names = [element.tag.split("}")[1] for element in xml.parse(tmp_path / "r.svg").iter()]
    assert names.count("circle") == 2 and names.count("rect") == 1 + 4
    assert "a <CPU>" in "".join(xml.parse(tmp_path / "r.svg").getroot().itertext())
