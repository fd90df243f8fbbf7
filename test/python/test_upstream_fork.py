"""Backends that the installed Triton compiles for, without a device: makes, refusals, words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import upstream_kernels

from seagrove.compiler import foreign
from seagrove.errors import BackendError, CompileError, OptionError, TargetError
from seagrove.frontend import triton_compat
from seagrove.frontend.triton_compat import upstream
from seagrove.runtime import registry
from seagrove.testing.compile_only import CompileOnly
from seagrove.tools import cli

KERNELS = Path(upstream_kernels.__file__)
EXAMPLES = Path(__file__).parents[2] / "examples"
ADD = "*fp32:16,*fp32:16,*fp32:16,i32:16,1024"


def before(*version: int) -> pytest.MarkDecorator:
    reason = "this release of Triton takes it"
    return pytest.mark.skipif(triton_compat.triton_version() >= version, reason=reason)


def compile_to(capfdbinary, target: str, kind: str, kernel: str, signature: str, *more: str):
    """What `seagrove compile` writes: (status, standard output, standard error)."""
    status = cli.main(
        ["compile", kernel, "--target", target, "--emit", kind, "--signature", signature, *more]
    )
    out, err = capfdbinary.readouterr()
    return status, out, err.decode()


def line_of(text: str) -> int:
    """The line of the refused kernels that has this text."""
    lines = KERNELS.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.mark.parametrize(
    ("target", "kind", "expected"),
    [
        ("cuda:80", "ttir", b"tt.load"),
        ("cuda:80", "ttgir", b'ttg.target = "cuda:80"'),
        ("cuda:80", "llvm-ir", b"define ptx_kernel"),
        ("cuda:80", "ptx", b"ld.global.v4.b32"),
        ("cuda:80", "cubin", b"\x7fELF"),
        ("hip:gfx942", "ttgir", b'ttg.target = "hip:gfx942"'),
        ("hip:gfx942", "llir", b"define amdgpu_kernel"),
        ("hip:gfx942", "amdgcn", b"global_load_dwordx4"),
        ("hip:gfx942", "hsaco", b"\x7fELF"),
    ],
)
def test_stages_without_a_device(capfdbinary, target, kind, expected):
    kernel = f"{EXAMPLES / 'vector_add.py'}::add_kernel"
    status, out, err = compile_to(capfdbinary, target, kind, kernel, ADD)
    assert status == 0, err
    assert expected in out


def test_options_reach_upstream(capfdbinary):
    kernel = f"{EXAMPLES / 'vector_add.py'}::add_kernel"
    more = ("--option", "num_warps=2")
    status, out, _ = compile_to(capfdbinary, "cuda:90", "ptx", kernel, ADD, *more)
    assert status == 0 and b".reqntid 64" in out


@pytest.mark.parametrize(
    ("kernel", "signature", "target", "kind", "line", "words"),
    [
        # What upstream's assembler says is found again in the user's file.
        ("bogus_instruction", "*i32,*i32,64", "cuda:90", "cubin", "bogus $0",
         ["SG0732", "any known instruction: 'bogus'"]),
        ("bogus_vector", "*i32,*i32,64", "hip:gfx942", "hsaco", "v_bogus",
         ["SG0732", "invalid instruction", "v_bogus v"]),
        # What is known to end the process is refused before.
        pytest.param("square", "*fp64,*fp64,64", "hip:gfx942", "llir", "tl.dot",
                     ["SG0733", "tl.dot of fp64", "triton 3.8"], marks=before(3, 8)),
        ("widen", "*fp8e4nv,*fp32,64", "cuda:80", "ttir", "def widen",
         ["SG0733", "does not take fp8e4nv", "cuda:89, cuda:90"]),
        ("add_atomically", "*i8,*i8,64", "cuda:90", "ttir", "tl.atomic_add",
         ["SG0737", "atomic_add does not support int8"]),
        ("square", "*fp32,*fp32,256", "cuda:86", "llir", "def square",
         ["SG0735", "524288 bytes", "101376"]),
    ],
)  # fmt: skip
def test_errors_are_at_the_users_line(capfdbinary, kernel, signature, target, kind, line, words):
    status, out, err = compile_to(capfdbinary, target, kind, f"{KERNELS}::{kernel}", signature)
    assert status == 1 and not out
    assert f"{KERNELS}:{line_of(line)}" in err
    for word in (*words, "do:", "seagrove explain"):
        assert word in err, err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("cuda:77", "ptx"), "SG0702", ["no target called '77'", "75, 80, 86"]),
        (("amd", "hsaco"), "SG0702", ["needs a target", "--target hip:gfx90a"]),
        (("abc:1", "ptx"), "SG0706", ["no backend called 'abc'"]),
        (("hip:gfx942", "ptx"), "SG0738", ["makes no 'ptx'", "amdgcn, hsaco"]),
        (("cuda:80", "ptx", "--option", "num_ctas=2"), "SG0731", ["num_ctas > 1 requires"]),
        (("cuda:80", "ptx", "--option", "fast"), "SG0738", ["'fast' is no launch option"]),
    ],
)
def test_wrong_requests(capfdbinary, arguments, code, words):
    target, kind, *more = arguments
    kernel = f"{EXAMPLES / 'vector_add.py'}::add_kernel"
    status, _, err = compile_to(capfdbinary, target, kind, kernel, ADD, *more)
    assert status == 1
    for word in (code, *words):
        assert word in err, err


def test_other_spellings_of_a_target():
    backend = registry.find("nvidia").load()
    assert backend.describe("sm_90") == backend.describe("sm90") == backend.describe("sm_90a")
    assert backend.triton_target("90") == ("cuda", 90, 32)
    assert registry.find("amd").load().triton_target("gfx942") == ("hip", "gfx942", 64)


def test_a_process_that_is_ended_is_an_error(monkeypatch):
    """An assertion of upstream's that the rules do not know of."""
    backend = registry.find("amd").load()
    genuine = upstream.emit

    def emit(*arguments):
        genuine(*arguments)
        os.write(2, b'p: MFMA.cpp:505: int f(): Assertion `type.isF16() && "no"\' failed.\n')
        os.abort()

    monkeypatch.setattr(upstream, "emit", emit)
    compiler = triton_compat.make_backend("amd", "gfx942")
    types = {"x": "*fp16", "out": "*fp32"}
    ttir = triton_compat.kernel_ttir(upstream_kernels.widen, types, {"BLOCK": 64}, compiler)
    with pytest.raises(CompileError) as caught:
        backend.emit(ttir, compiler.describe("gfx942"), compiler.parse_options({}), "ttgir")
    assert caught.value.code == "SG0734"
    assert "assertion `type.isF16()" in str(caught.value)
    assert f"{KERNELS}:{line_of('def widen')}" in str(caught.value)


def test_no_device_is_an_error_that_says_so():
    import torch

    for name in ("nvidia", "amd"):
        answer = registry.find(name).probe()
        if answer.usable:
            pytest.skip("this machine has one")
        assert answer.compiles and answer.why and "--target" in answer.advice
        x = torch.ones(64, dtype=torch.int32)
        with registry.on(registry.device(name)), pytest.raises(BackendError) as caught:
            upstream_kernels.widen[(1,)](x, x, 64)
        assert caught.value.code == "SG0736" and caught.value.why == answer.why


def test_a_launch_compiles_where_nothing_can_run():
    import torch

    x, out = torch.ones(64, dtype=torch.float16), torch.zeros(64)
    for target, stage in (("cuda:80", "ptx"), ("hip:gfx90a", "amdgcn"), ("cuda:90", "ptx")):
        with CompileOnly(target) as device:
            upstream_kernels.widen[(1,)](x, out, 64)
        (kernel,) = device.kernels
        assert stage in kernel.asm and not device.failures
        assert kernel.metadata.target.arch in (80, 90, "gfx90a")
    upstream_kernels.widen[(1,)](x, out, 64)  # On the host as before.
    assert out.eq(1).all()


def test_errors_of_a_launch_are_of_both_kinds():
    import torch
    from triton.compiler.errors import CompilationError
    from triton.runtime.errors import PTXASError

    x = torch.ones(64, dtype=torch.int32)
    with CompileOnly("cuda:90") as device, pytest.raises(CompileError) as caught:
        upstream_kernels.bogus_instruction[(1,)](x, x, 64)
    assert isinstance(caught.value, PTXASError) and isinstance(caught.value, CompilationError)
    assert device.caused(caught.value) and not device.caused(ValueError())
    with CompileOnly("cuda:80"), pytest.raises(OptionError):
        upstream_kernels.widen[(1,)](x, x, 64, num_ctas=2)


def test_cache_keys_name_our_build_and_upstreams():
    keys = set()
    for arch in ("80", "90"):
        compiler = triton_compat.make_backend("nvidia", arch)
        own = compiler.backend.key(compiler.describe(arch))
        theirs = upstream.original("nvidia", "compiler")(compiler.target).hash()
        assert own in compiler.hash() and theirs in compiler.hash()
        keys.add(compiler.hash())
    assert len(keys) == 2


def test_a_missing_pipeline_is_an_error(monkeypatch):
    with pytest.raises(BackendError) as caught:
        upstream.original("abacus", "compiler")
    assert caught.value.code == "SG0730" and "abacus" in caught.value.headline


def test_unknown_target_of_a_device():
    with pytest.raises(TargetError):
        CompileOnly("cuda:1")


# --- what is read from upstream's words -------------------------------------------------------

LISTING = """
.file 1 "/user" "kernel.py"
.loc 1 7 4
add
.loc 1 9 8
.loc 1 0 0
mul
"""


def test_messages_are_read():
    said = (
        "/user/k.py:3:5: error: shapes differ\n"
        '/user/k.py:3:5: note: see current operation: %0 = "tt.dot"\n'
        "/user/lib.py:8:1: note: called from\n"
        "loc(unknown): warning: slow\n"
        "/user/k.py:3:5: error: Failures have been detected while processing a pipeline\n"
        "module {\n  error in no form\n}\n"
    )
    first, second = foreign.read_messages(said)
    assert (first.severity, first.file, first.line, first.column) == ("error", "/user/k.py", 3, 5)
    assert first.notes == ("called from (/user/lib.py:8)",)
    assert (second.severity, second.line) == ("warning", 0)
    assert "`a < b` at x.cpp:4" in foreign.read_crash(
        "p: x.cpp:4: int f(): Assertion `a < b' failed."
    )
    assert foreign.read_crash("LLVM ERROR: Cannot select") == "Cannot select"


def test_places_in_assembly():
    assert foreign.place_in_source(LISTING, 4) == ("/user/kernel.py", 7, 4)
    assert foreign.place_in_source(LISTING, 7) == ("/user/kernel.py", 9, 8)
    assert foreign.place_in_source("add", 1) == ("", 0, 0)


def test_caught_text_is_printed_unless_the_stage_fails(capfd):
    with foreign.Caught() as outer:
        os.write(2, b"a word\n")
        with foreign.Caught() as inner:
            os.write(2, b"another\n")
    assert outer.text == "a word\nanother\n" and inner.text == "another\n"
    assert capfd.readouterr().err == "a word\nanother\n"
    with pytest.raises(KeyError), foreign.Caught() as caught:
        os.write(2, b"lost\n")
        raise KeyError
    assert caught.text == "lost\n" and capfd.readouterr().err == ""


def test_stages_of_several_threads_share_the_catch(capfd):
    """They end in another order than they began, and the streams are as before."""
    stdout = sys.stdout
    first, second = foreign.Caught(), foreign.Caught()
    with first:
        second.__enter__()
        print("listing")
    second.__exit__(None, None, None)
    assert sys.stdout is stdout
    os.write(2, b"after\n")
    out, err = capfd.readouterr()
    assert out == "listing\n" and err == "after\n"


def test_an_abort_within_a_stage_tells_its_words():
    code = (
        "import os\nfrom seagrove.compiler import foreign\n"
        "with foreign.Caught():\n    os.write(2, b'assertion text')\n    os.abort()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -6 and "assertion text" in done.stderr
