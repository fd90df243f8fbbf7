"""Machine code from vector form: what the shared object holds, every way in which it fails."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from seagrove.compiler.native import native

HEAD = """
func.func @k.program(%x: !llvm.ptr, %px: i32, %py: i32, %pz: i32, %nx: i32, %ny: i32, %nz: i32,
                     %scratch: !llvm.ptr) attributes {sg.kernel_name = "k"} {
"""
INCREMENT = f"""{HEAD}
  %one = arith.constant dense<1> : vector<4xi32>
  %old = llvm.load %x {{alignment = 4 : i64}} : !llvm.ptr -> vector<4xi32>
  %new = arith.addi %old, %one : vector<4xi32>
  llvm.store %new, %x {{alignment = 4 : i64}} : vector<4xi32>, !llvm.ptr
  return
}}
"""
LIBRARY_CALL = f"""{HEAD}
  %old = llvm.load %x : !llvm.ptr -> f64
  %new = math.cosh %old : f64
  llvm.store %new, %x : f64, !llvm.ptr
  return
}}
"""
BAD_ASSEMBLY = f"""{HEAD}
  llvm.inline_asm has_side_effects "no_such_instruction 1, 2, 3", "" : () -> ()
  return
}}
"""
GOOD_ASSEMBLY = f"""{HEAD}
  llvm.inline_asm has_side_effects "", "" : () -> ()
  return
}}
"""
SCALABLE = f"""{HEAD}
  %old = llvm.load %x {{alignment = 4 : i64}} : !llvm.ptr -> vector<[4]xf32>
  %new = arith.addf %old, %old : vector<[4]xf32>
  llvm.store %new, %x {{alignment = 4 : i64}} : vector<[4]xf32>, !llvm.ptr
  return
}}
"""

# x[i * stride + 3 * stride] += x[i * stride], 16 bytes each, for i from 0 to n.
STRIDED = """
func.func @k.program(%x: !llvm.ptr, %n: i64, %stride: i64,
                     %px: i32, %py: i32, %pz: i32, %nx: i32, %ny: i32, %nz: i32,
                     %scratch: !llvm.ptr) attributes {sg.kernel_name = "k"} {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  %three = arith.constant 3 : i64
  scf.for %i = %zero to %n step %one : i64 {
    %later = arith.addi %i, %three : i64
    %here = arith.muli %i, %stride : i64
    %there = arith.muli %later, %stride : i64
    %from = llvm.getelementptr %x[%here] : (!llvm.ptr, i64) -> !llvm.ptr, i32
    %to = llvm.getelementptr %x[%there] : (!llvm.ptr, i64) -> !llvm.ptr, i32
    %a = llvm.load %from {alignment = 4 : i64} : !llvm.ptr -> vector<4xi32>
    %b = llvm.load %to {alignment = 4 : i64} : !llvm.ptr -> vector<4xi32>
    %c = arith.addi %a, %b : vector<4xi32>
    llvm.store %c, %to {alignment = 4 : i64} : vector<4xi32>, !llvm.ptr
  }
  return
}
"""


def compile_text(text: str, *, emit: str = "so", **target_fields: str) -> Any:
    api = native()
    target = api.detect_host()
    if "triple" in target_fields:
        target.cpu = target.features = ""
    for name, value in target_fields.items():
        setattr(target, name, value)
    options = api.CompileOptions()
    options.emit = emit
    return api.compile(text, target, options)


def errors(result: Any) -> list[tuple[str, str]]:
    assert not result.ok
    return [(d.code, d.message) for d in result.diagnostics if d.severity == "error"]


def test_shared_object_is_small_and_needs_nothing() -> None:
    result = compile_text(INCREMENT)
    assert result.ok
    assert result.output[:4] == b"\x7fELF"
    assert len(result.output) < 4096
    assert b"k\0" in result.output
    assert b"k.program" not in result.output
    assert b"libm.so.6" not in result.output


def test_the_c_library_is_recorded_where_it_is_needed() -> None:
    assert b"libm.so.6\0" in compile_text(LIBRARY_CALL).output


@pytest.mark.parametrize(
    ("triple", "machine"),
    [("aarch64-linux-gnu", 183), ("riscv64-linux-gnu", 243), ("x86_64-linux-gnu", 62)],
)
def test_other_machines(triple: str, machine: int) -> None:
    image = compile_text(INCREMENT, triple=triple, cpu="").output
    assert struct.unpack_from("<H", image, 18) == (machine,)


@pytest.mark.parametrize("emit", ["llvm", "asm", "obj"])
def test_every_kind_of_output(emit: str) -> None:
    assert compile_text(INCREMENT, emit=emit).output


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"triple": "pdp11-dec-unix"}, "triple"),
        ({"cpu": "no-such-cpu"}, "no CPU 'no-such-cpu'"),
        ({"features": "+no-such-feature"}, "no CPU feature 'no-such-feature'"),
    ],
)
def test_unknown_target(fields: dict[str, str], message: str) -> None:
    [(code, text)] = errors(compile_text(INCREMENT, **fields))
    assert code == "SG0501"
    assert message in text


def test_bad_inline_assembly_is_an_error() -> None:
    [(code, text)] = errors(compile_text(BAD_ASSEMBLY))
    assert code == "SG0505"
    assert "no_such_instruction 1, 2, 3" in text
    assert compile_text(INCREMENT).ok


def test_bad_inline_assembly_has_the_users_line() -> None:
    place = ' loc("user.py":7:3)'
    result = compile_text(BAD_ASSEMBLY.replace("-> ()\n", f"-> (){place}\n"))
    [error] = [d for d in result.diagnostics if d.severity == "error"]
    assert (error.code, error.file, error.line) == ("SG0505", "user.py", 7)
    assert b"\1" not in compile_text(GOOD_ASSEMBLY, emit="llvm").output


def test_a_fatal_error_of_the_code_generator_is_an_error() -> None:
    [(code, _)] = errors(compile_text(SCALABLE, triple="x86_64-linux-gnu"))
    assert code == "SG0503"
    assert compile_text(INCREMENT).ok


def test_shared_objects_for_other_formats_are_refused() -> None:
    [(code, _)] = errors(compile_text(INCREMENT, triple="arm64-apple-darwin"))
    assert code == "SG0504"


def test_compilations_side_by_side() -> None:
    texts = [INCREMENT, LIBRARY_CALL, SCALABLE] * 8
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda text: compile_text(text), texts))
    alone = [compile_text(text) for text in texts[:3]]
    for i, result in enumerate(results):
        assert result.ok == alone[i % 3].ok
        assert result.output == alone[i % 3].output


def test_loops_add_up_products_of_their_counter() -> None:
    text = compile_text(STRIDED, emit="llvm", triple="x86_64-linux-gnu").output.decode()
    loop = text[text.index("load <4 x i32>") :]
    assert "<4 x i32>" in loop and " mul " not in loop
    # A machine without scaled indices in its addresses keeps the code generator's own way.
    assert " mul " in compile_text(STRIDED, emit="llvm", triple="riscv64-linux-gnu").output.decode()
