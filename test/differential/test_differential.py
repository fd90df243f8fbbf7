"""The oracles on a few kernels, and the oracles themselves.

The long run is a command (docs/oracles.md); here some kernels of a fixed seed must agree.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seagrove.compiler.options import CodegenOptions
from seagrove.testing import mutations
from seagrove.testing.differential import formats, printer, reducer, reference, reproducer
from seagrove.testing.differential.compare import differences
from seagrove.testing.differential.ir import (
    Buffer,
    Load,
    Op,
    Program,
    Scalar,
    Storage,
    Store,
    Type,
)
from seagrove.testing.differential.isolation import Worker
from seagrove.testing.differential.ops import OPS, Rejected
from seagrove.testing.differential.oracle import Verdict, compile_options, difference, request
from seagrove.testing.differential.runner import Options, Search, run_chunk
from seagrove.testing.differential.worker import Request

F32, I32, TRUTH = Type("f32", (16,)), Type("i32", (16,)), Type("i1", (16,))


def choose(stride: int = 16, grid: tuple[int, ...] = (2,)) -> Program:
    """out = where(x < 0, x, 1), on blocks of 16 that lie `stride` apart."""
    body = (
        Op("pid", Type("i32"), "pid", (), (("axis", 0),)),
        Op("start", Type("i32"), "mul", ("pid", stride)),
        Op("lanes", I32, "arange", (), (("end", 16),)),
        Op("offsets", I32, "add", ("start", "lanes")),
        Op("p", Type("*x", (16,)), "address", ("x", "offsets")),
        Load("a", F32, "p"),
        Op("negative", TRUTH, "lt", ("a", 0.0)),
        Op("unused", F32, "add", ("a", 1.0)),
        Op("chosen", F32, "where", ("negative", "a", 1.0)),
        Op("q", Type("*out", (16,)), "address", ("out", "offsets")),
        Store("q", "chosen"),
    )
    storages = Storage("f32", 32, "small", 1), Storage("f32", 32, "mark")
    return Program(storages, (Buffer("x", 0), Buffer("out", 1)), (Scalar("n", 5),), grid, body)


@pytest.mark.parametrize("part", range(2))
def test_random_kernels_agree(part: int, tmp_path: Path) -> None:
    options = Options(shrink_s=15, save_dir=tmp_path)
    report = run_chunk(options, 20_261_122 + part, 30)
    assert report.kernels >= 30
    found = [f"{f.text}\n{(tmp_path / f.reproducer).read_text()}" for f in report.findings]
    assert not found, "\n".join(found)


class Recorder:
    """Agrees with all programs and keeps them."""

    def __init__(self) -> None:
        self.programs: list[str] = []

    def judge(self, program: Program) -> Verdict:
        self.programs.append(repr(program))
        return Verdict()


def test_a_seed_draws_the_same_kernels_whatever_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hypothesis would also draw the constants of modules that are loaded from a checkout."""

    def drawn() -> list[str]:
        recorder = Recorder()
        Search(recorder, 0).run(10, 3)  # type: ignore[arg-type]
        return recorder.programs

    before = drawn()
    numbers = tmp_path / "numbers_of_a_kernel.py"
    numbers.write_text("".join(f"x{n} = {n}\n" for n in range(101, 300)))
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module(numbers.stem)
    assert drawn() == before
    assert len(set(before)) > 5


def test_a_crash_and_a_hang_are_answers() -> None:
    crash = "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"
    hang = "import time\ntime.sleep(60)\n"
    with Worker(timeout_s=20) as worker:
        good = request(choose(), {"run": {}})
        dead = worker.run(Request(crash, [], [], [], (1,), {"a": {}, "b": {}}))
        assert "SIGSEGV" in dead["a"].error and "SIGSEGV" in dead["b"].error
        assert not worker.run(good)["run"].error
        worker.timeout_s = 1
        assert "hang" in worker.run(Request(hang, [], [], [], (1,), {"a": {}}))["a"].error


def test_a_planted_mistake_is_caught() -> None:
    program = choose()
    want = reference.evaluate(program)
    plain = compile_options(program, 3)
    runs = {"plain": plain, "wrong": {**plain, "planted_miscompile": "select-swapped"}}
    with Worker() as worker:
        answers = worker.run(request(program, runs))
    assert not difference(answers["plain"], want)
    assert difference(answers["wrong"], want).startswith("storage 1 (f32)")


def test_a_planted_mistake_has_a_cache_key_of_its_own() -> None:
    keys = {CodegenOptions(planted_miscompile=kind).cache_key() for kind in ("", "zero-extend")}
    assert len(keys) == 2


def test_a_stray_store_is_caught() -> None:
    program = choose()
    with Worker() as worker:
        shifted = replace(program, storages=(program.storages[0], Storage("f32", 31, "mark")))
        answer = worker.run(request(shifted, {"run": {}}))["run"]
    assert "outside of its memory" in answer.error


def test_every_kind_is_documented() -> None:
    header = Path(__file__).parents[2] / "lib" / "Testing" / "Mistakes.h"
    text = header.read_text(encoding="utf-8")
    listed = [line.split()[1] for line in text.splitlines() if line.startswith("///   ")]
    assert tuple(listed) == mutations.KINDS


def test_races_and_bounds_are_rejected() -> None:
    with pytest.raises(Rejected, match="race"):
        reference.evaluate(choose(stride=8))
    with pytest.raises(Rejected, match="bounds"):
        reference.evaluate(choose(grid=(3,)))


def test_a_reproducer_holds_its_program(tmp_path: Path) -> None:
    program = choose()
    name = reproducer.save(tmp_path, program, 'O3: differs in "x"', 7)
    assert reproducer.load(tmp_path / name) == program
    assert printer.source(program) in (tmp_path / name).read_text()


def test_the_reducer_leaves_what_matters() -> None:
    def fails(program: Program) -> bool:
        return any(isinstance(item, Op) and item.op == "where" for item in program.body)

    small = reducer.shrink(choose(), fails, 10)
    names = [item.out for item in small.body if isinstance(item, Op)]
    assert "chosen" in names and "unused" not in names and not small.scalars
    assert reducer.well_formed(small)


def test_differences_know_nan_and_the_sign_of_zero() -> None:
    want = reference.Memory("f32", np.float32([np.nan, 0.0, 1.0]), np.zeros(3))
    assert not differences([np.float32([np.nan, 0.0, 1.0]).tobytes()], [want])
    assert "first at 1" in differences([np.float32([np.nan, -0.0, 1.0]).tobytes()], [want])


@pytest.mark.parametrize("dtype", ["f16", "bf16", "f8e5", "f8e4nv"])
def test_every_pattern_of_a_format_survives(dtype: str) -> None:
    width = formats.item_bytes(dtype)
    raw = np.arange(1 << (8 * width)).astype(f"u{width}").view(np.uint8)
    values = formats.decode(raw, dtype)
    rounded = formats.round_float(values.astype(np.float64), dtype)
    inside = np.isfinite(values)
    assert np.array_equal(rounded[inside], values[inside])
    again = formats.decode(formats.encode(values, dtype), dtype)
    assert np.array_equal(again, values, equal_nan=True)


def test_rounding_is_ties_to_even() -> None:
    x = np.random.default_rng(0).standard_normal(2000) * 1e3
    assert np.array_equal(formats.round_float(x, "f16"), x.astype(np.float16))
    # 2^60 + 2^36 lies between two numbers of f32, the last bit decides.
    odd = np.array([(1 << 60) + (1 << 36) + 1, (1 << 60) + (1 << 36)])
    assert formats.convert(odd, "i64", "f32").tolist() == [2.0**60 + 2.0**37, 2.0**60]


def test_promotion_is_tritons() -> None:
    assert formats.promote("i32", "u32") == "u32"
    assert formats.promote("i64", "u32") == "i64"
    assert formats.promote("f16", "bf16") == "f16"
    assert formats.promote("i64", "bf16") == "f32"
    assert "add" in OPS
