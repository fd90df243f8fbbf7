"""Element types of tensors: what Triton, NumPy and torch each call by a name of their own."""

from __future__ import annotations

from dataclasses import dataclass

from seagrove.errors import ArgumentTypeError
from seagrove.runtime.arguments import type_name


@dataclass(frozen=True)
class DType:
    """An element type; `str()` gives the name that Triton and torch use.

    Attributes:
        name: torch's name, such as "float32".
        short: Triton's name, such as "fp32".
        itemsize: bytes.
        typestr: NumPy's `__array_interface__` type; "" where NumPy has none.
    """

    name: str
    short: str
    itemsize: int
    typestr: str = ""

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"seagrove.{self.name}"


def _integers() -> dict[str, DType]:
    kinds = (("int", "i"), ("uint", "u"))
    return {
        f"{code}{bits}": DType(f"{kind}{bits}", f"{code}{bits}", bits // 8, f"<{code}{bits // 8}")
        for kind, code in kinds
        for bits in (8, 16, 32, 64)
    }


DTYPES: dict[str, DType] = {
    "i1": DType("bool", "i1", 1, "|b1"),
    **_integers(),
    "fp16": DType("float16", "fp16", 2, "<f2"),
    "bf16": DType("bfloat16", "bf16", 2),
    "fp32": DType("float32", "fp32", 4, "<f4"),
    "fp64": DType("float64", "fp64", 8, "<f8"),
    "fp8e4nv": DType("float8_e4m3fn", "fp8e4nv", 1),
    "fp8e5": DType("float8_e5m2", "fp8e5", 1),
    "fp8e4b8": DType("float8_e4m3fnuz", "fp8e4b8", 1),
    "fp8e5b16": DType("float8_e5m2fnuz", "fp8e5b16", 1),
}


def dtype_of(value: object) -> DType:
    """The element type that a name, or a dtype of NumPy, torch or Triton, means.

    Raises:
        ArgumentTypeError: SG0713 if kernels have no such type.
    """
    if isinstance(value, DType):
        return value
    name = value.__name__ if isinstance(value, type) else value
    found = DTYPES.get(type_name(name))
    if found is None:
        raise ArgumentTypeError(
            f"there is no tensor of element type '{value}'",
            code="SG0713",
            why="known are: " + ", ".join(item.name for item in DTYPES.values()),
            advice="convert the data to one of them",
        )
    return found
