"""The command `seagrove`, run as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import kernels
import pytest
import torch

from seagrove import __version__, explain
from seagrove.tools import cli, compile_command

KERNELS = Path(__file__).parent / "kernels.py"
ADD = ["compile", f"{KERNELS}::add", "--signature", "*fp32,*fp32,*fp32,i32,256"]


def seagrove(*arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seagrove", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == expect, done.stderr
    return done


def test_version_and_usage():
    assert seagrove("--version").stdout.strip() == f"seagrove {__version__}"
    assert "usage" in seagrove(expect=2).stderr


def test_doctor_runs_a_kernel():
    found = json.loads(seagrove("doctor", "--json").stdout)
    cpu = next(item for item in found["backends"] if item["name"] == "cpu")
    assert cpu["usable"], cpu["why"]
    assert cpu["milliseconds"] > 0 and cpu["devices"]
    assert found["triton"]["active"] == "cpu"


def test_doctor_in_words():
    text = seagrove("doctor").stdout
    assert "cpu: PASS" in text and "A launch now runs on: cpu" in text


def test_doctor_survives_a_crash(monkeypatch):
    from seagrove.tools import doctor

    killed = subprocess.CompletedProcess([], -4, "", "")
    monkeypatch.setattr(doctor, "_child", lambda *arguments: killed)
    finding = doctor.examine("cpu")
    assert not finding.usable and "signal 4" in finding.why


@pytest.mark.parametrize(
    ("emit", "text"),
    [
        ("ttir", "tt.load"),
        ("structured", "func"),
        ("tensor", "func"),
        ("linalg", "func"),
        ("vector", "vector."),
        ("llvm", "define"),
        ("asm", "add"),
    ],
)
def test_compile_to_text(emit, text):
    assert text in seagrove(*ADD, "--emit", emit).stdout


@pytest.mark.parametrize("emit", ["obj", "so"])
def test_compile_to_bytes(tmp_path, emit):
    out = tmp_path / "kernel"
    seagrove(*ADD, "--emit", emit, "-o", str(out))
    assert out.read_bytes().startswith(b"\x7fELF")


def test_compile_for_another_target_and_time():
    done = seagrove(*ADD, "--emit", "asm", "--target", "x86-64-v4", "--timing")
    assert "zmm" in done.stdout and " ms " in done.stderr


def test_compile_lists_kernels_and_parameters():
    listed = seagrove("compile", str(KERNELS), expect=1).stderr
    assert "add" in listed and "mark" in listed and "SG0707" in listed
    missing = seagrove("compile", f"{KERNELS}::add", expect=1).stderr
    assert "nothing is given for 'x'" in missing and "(x, y, out, n, BLOCK)" in missing
    assert "SG0708" in seagrove(*ADD[:3], "*fp32,what", expect=1).stderr
    assert "no file" in seagrove("compile", "nowhere.py::add", expect=1).stderr
    assert "SG0702" in seagrove(*ADD, "--target", "abacus", expect=1).stderr


def test_explain_devices_targets():
    assert "SG0601: the argument is not a tensor" in seagrove("explain", "sg0601").stdout
    assert "SG0601  the argument" in seagrove("explain").stdout
    assert "no code 'SG9999'" in seagrove("explain", "SG9999", expect=1).stderr
    assert "cpu" in seagrove("devices").stdout
    assert "runs here" in seagrove("targets").stdout


def test_explain_a_kernel():
    text = seagrove("explain", *ADD[1:]).stdout
    assert "tl.load(x + offsets" in text and "vectors of" in text and "masked behind" in text
    assert "ms  codegen" in text and "ms  together" in text
    assert "SG0707" in seagrove("explain", f"{KERNELS}::nothing", expect=1).stderr


def test_explain_a_launched_kernel():
    x = torch.zeros(300)
    compiled = kernels.add[(2,)](x, x, torch.empty_like(x), 300, BLOCK=256)
    text = explain(compiled)
    assert "past the caches" in text and "ms  together" in text
    with pytest.raises(TypeError, match="returned"):
        explain(kernels.add)


def test_tables_as_json():
    found = json.loads(seagrove("targets", "--json").stdout)
    rows = {row["target"]: row for row in found["targets"]}
    assert any(row["runs_here"] for row in rows.values()) and not found["problems"]
    for row in rows.values():
        assert (row["vector_bits"] is not None) == (row["fork"] == "vector")
    devices = {row["backend"]: row for row in json.loads(seagrove("devices", "--json").stdout)}
    first = devices["cpu"]["devices"][0]
    assert devices["cpu"]["usable"] and first["properties"]["total_memory"] > 0
    assert first["memory"]["allocated"] == 0 and first["memory"]["total"] > 0


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("*fp32,i32,16", ["*fp32", "i32", "16"]),
        ("tensordesc<fp16[16, 16]>, (1, 2)", ["tensordesc<fp16[16, 16]>", "(1, 2)"]),
        ("*fp32", ["*fp32"]),
    ],
)
def test_split_signature(text, parts):
    assert compile_command.split_signature(text) == parts


def test_main_returns_a_status(capsys):
    assert cli.main(["explain", "SG0609"]) == 0
    assert "grid" in capsys.readouterr().out
