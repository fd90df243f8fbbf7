"""TRITON_REPRODUCER_PATH: a file with a kernel's text and the passes that compile it."""

import re

import torch
import triton
import triton.language as tl

from seagrove.compiler import reproducer
from seagrove.compiler.native import native


@triton.jit
def halve(x, out, n, BLOCK: tl.constexpr):
    offsets = tl.arange(0, BLOCK)
    tl.store(out + offsets, tl.load(x + offsets, mask=offsets < n) / 2, mask=offsets < n)


def test_reproducer_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("TRITON_ALWAYS_COMPILE", "1")
    monkeypatch.setenv(reproducer.ENVIRONMENT, str(tmp_path / "halve"))
    x = torch.ones(20)
    halve[(1,)](x, x.clone(), 20, BLOCK=32)
    text = (tmp_path / f"halve{reproducer.SUFFIX}").read_text()
    passes = re.search(r'mlir_reproducer: \{\s*pipeline: "([^"]*)"', text)
    assert passes and "vectorize-blocks{vector-bits=" in passes[1]
    result = native().run_passes(text, passes[1])
    assert result.ok, result.diagnostics
    assert "llvm.func @halve" in result.output.decode()


def test_no_file_unless_asked(monkeypatch, tmp_path):
    monkeypatch.delenv(reproducer.ENVIRONMENT, raising=False)
    monkeypatch.chdir(tmp_path)
    reproducer.write_if_asked("module {}", None)
    assert not list(tmp_path.iterdir())
