"""The rare cases of a launch, called by the native launcher (python/src/arguments.cpp).

The launcher reads an argument in native code if an argument of the same type and dtype passed
before. The first one, and every one that does not pass, comes here: each function either returns
what the launcher asked for or raises the error that names the kernel, the argument and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from seagrove.errors import (
    ArgumentCountError,
    ArgumentRangeError,
    ArgumentTypeError,
    ArgumentValueError,
    DeviceAssertError,
    DeviceError,
    GridError,
    LaunchError,
    LoadError,
)

# How the launcher may read the next argument of the same type; `Source` in arguments.h.
NOT_CACHED, BY_METHOD, BY_METHOD_ON_DEVICE, BY_BUFFER = range(4)

_TYPE_NAMES = {
    "bool": "i1",
    "half": "fp16",
    "bfloat16": "bf16",
    "float": "fp32",
    "double": "fp64",
    "float8_e4m3fn": "fp8e4nv",
    "float8_e4m3fnuz": "fp8e4b8",
    "float8_e5m2": "fp8e5",
    "float8_e5m2fnuz": "fp8e5b16",
    "float8_e4b15": "fp8e4b15",
}


def type_name(dtype: object) -> str:
    """Triton's name for a torch, NumPy or Triton dtype; the dtype's own name if it has none."""
    name = str(dtype).rpartition(".")[2]
    if name in _TYPE_NAMES:
        return _TYPE_NAMES[name]
    for prefix, short in (("uint", "u"), ("int", "i"), ("float", "fp")):
        if name.startswith(prefix) and name[len(prefix) :].isdigit():
            return short + name[len(prefix) :]
    return name


def _same_format(actual: str, expected: str) -> bool:
    """Whether memory of one element type may be read as the other: signs do not matter."""

    def normal(name: str) -> str:
        if name in ("i1", "u1"):
            return "i8"
        return "i" + name[1:] if name[0] == "u" and name[1:].isdigit() else name

    return normal(actual) == normal(expected)


def _place(kernel: str, names: Sequence[str], position: int) -> str:
    name = names[position] if position < len(names) else f"#{position}"
    return f"argument '{name}' of kernel '{kernel}'"


def pointer_of(
    kernel: str, names: Sequence[str], position: int, expected: str, arg: object
) -> tuple[int, int, object]:
    """Reads and checks the address of a tensor-like argument.

    Args:
        kernel: the kernel's name.
        names: its parameters' names.
        position: index of the parameter.
        expected: Triton's pointer type, such as "*fp32".
        arg: the argument.

    Returns:
        (address, how the launcher may read the next one of this type, its dtype).

    Raises:
        ArgumentTypeError: SG0601 if it has no address, SG0605 for another dtype.
        ArgumentValueError: SG0602 for a null address or none, SG0603 for a negative stride.
        DeviceError: SG0604 for memory of another device.
    """
    place = _place(kernel, names, position)
    if callable(method := getattr(arg, "data_ptr", None)):
        on_cpu = getattr(arg, "is_cpu", None)
        if on_cpu is False:
            _raise_device_error(place, arg)
        try:
            address = int(method())
        except RuntimeError as error:
            raise_no_storage(place, arg, error)
        source = BY_METHOD if on_cpu is None else BY_METHOD_ON_DEVICE
    elif (interface := getattr(arg, "__array_interface__", None)) is not None:
        address = int(interface["data"][0])
        _check_strides(place, interface)
        source = BY_BUFFER if _has_buffer(arg) else NOT_CACHED
    else:
        raise_argument_error("no_pointer", kernel, names, position, expected, arg)
    if address == 0 and _element_count(arg) != 0:
        raise ArgumentValueError(
            f"{place} has {_element_count(arg)} elements but no memory",
            code="SG0602",
            why=f"the address of the {type(arg).__name__} is null",
            advice="pass a tensor that owns memory",
        )
    dtype = getattr(arg, "dtype", None)
    element = expected.removeprefix("*").removeprefix("k")
    if dtype is None:
        source = NOT_CACHED
    elif not _same_format(type_name(dtype), element):
        raise ArgumentTypeError(
            f"{place} has dtype {type_name(dtype)}, but the kernel was compiled for {element}",
            code="SG0605",
            advice="convert it, or launch through the kernel, which compiles for the dtype",
        )
    return address, source, dtype


def raise_no_storage(place: str, arg: object, error: RuntimeError) -> NoReturn:
    """Raises the error for a tensor that says itself that it has no address."""
    layout = str(getattr(arg, "layout", "")).rpartition(".")[2]
    raise ArgumentValueError(
        f"{place} is a {type(arg).__name__} without memory of its own",
        code="SG0602",
        why=str(error).partition("\n")[0],
        advice="pass x.to_dense(), or its parts"
        if "sparse" in layout
        else "pass a tensor that owns memory",
    ) from None


def _element_count(arg: object) -> int:
    """Number of elements of a tensor or array; 0 where it cannot be known."""
    if callable(numel := getattr(arg, "numel", None)):
        return int(numel())
    size = getattr(arg, "size", 0)
    return size if isinstance(size, int) else 0


def _has_buffer(arg: object) -> bool:
    try:
        memoryview(arg).release()  # type: ignore[arg-type]
    except (TypeError, BufferError, ValueError):
        return False
    return True


def _check_strides(place: str, interface: dict[str, object]) -> None:
    strides, shape = interface.get("strides"), interface.get("shape")
    if not isinstance(strides, tuple) or not isinstance(shape, tuple):
        return  # None means contiguous.
    if any(step < 0 and size > 1 for step, size in zip(strides, shape, strict=True)):
        raise ArgumentValueError(
            f"{place} has a negative stride",
            code="SG0603",
            why=f"its strides are {strides} bytes, so its first element is not the lowest address",
            advice="pass a copy in order, such as numpy.ascontiguousarray(x)",
        )


def _raise_device_error(place: str, arg: object) -> NoReturn:
    device = getattr(arg, "device", "another device")
    raise DeviceError(
        f"{place} is a tensor on '{device}', which the chosen backend cannot read",
        code="SG0604",
        why="the backend reads the host's memory",
        advice="move it with .cpu(), or choose the backend of its device with seagrove.use(...)",
    )


def raise_argument_error(
    reason: str, kernel: str, names: Sequence[str], position: int, expected: str, arg: object
) -> NoReturn:
    """Raises the error for an argument that the launcher cannot pack.

    Args:
        reason: one of the keys below, as in arguments.cpp.
        kernel, names, position, expected, arg: as for `pointer_of`.

    Raises:
        LaunchError: always, of a kind that fits the reason.
    """
    place, kind = _place(kernel, names, position), type(arg).__name__
    error: type[LaunchError] = ArgumentTypeError
    why = ""
    match reason:
        case "no_pointer":
            headline, code = f"{place} is not a tensor but {_describe(arg)}", "SG0601"
            why = f"the parameter is a pointer ({expected}) and a {kind} has no data_ptr()"
            advice = "pass a torch tensor, a NumPy array, or an object with data_ptr() and dtype"
        case "integer_type" | "float_type":
            headline, code = f"{place} is not a number but {_describe(arg)}", "SG0607"
            why = f"the kernel was compiled for {expected}"
            advice = "pass an int or a float"
        case "integer_range":
            headline, code = f"{place} is {arg}, which does not fit {expected}", "SG0606"
            error = ArgumentRangeError
            advice = "pass a smaller number, or annotate the parameter with a wider type"
        case "tuple":
            headline, code = f"{place} is not the tuple that the kernel was compiled for", "SG0610"
            advice = "launch through the kernel, which compiles for the argument"
        case "descriptor":
            headline, code = f"{place} is not the tensor descriptor it should be", "SG0610"
            why = f"the kernel was compiled for {expected}, the argument is {_describe(arg)}"
            advice = "pass a triton.tools.tensor_descriptor.TensorDescriptor of the same rank"
        case _:
            headline, code = f"{place} has the unsupported type '{expected}'", "SG0611"
            advice = "change the parameter's annotation"
    raise error(headline, code=code, why=why, advice=advice)


def _describe(arg: object) -> str:
    if arg is None:
        return "None"
    text = repr(arg)
    kind = type(arg)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return f"{text} ({name})" if len(text) <= 40 and "\n" not in text else f"a {name}"


def raise_count_error(kernel: str, expected: int, given: int) -> NoReturn:
    """Raises the error for a launch with the wrong number of arguments."""
    raise ArgumentCountError(
        f"kernel '{kernel}' takes {expected} arguments, {given} were given",
        code="SG0608",
        why="a compiled kernel is launched with all parameters, tl.constexpr ones included",
        advice="compare the call with the kernel's definition",
    )


def raise_grid_error(kernel: str, x: object, y: object, z: object) -> NoReturn:
    """Raises the error for a grid that cannot be launched."""
    raise GridError(
        f"kernel '{kernel}' cannot be launched on the grid ({x}, {y}, {z})",
        code="SG0609",
        why="each size must be an integer from 0 to 2147483647",
        advice="compute the grid with triton.cdiv(n, BLOCK)",
    )


def raise_cooperative_error(kernel: str, programs: int, most: int) -> NoReturn:
    """Raises the error for a cooperative launch of more programs than can run together."""
    raise GridError(
        f"kernel '{kernel}' cannot be launched cooperatively on a grid of {programs} programs",
        code="SG0615",
        why=f"at most {most} programs run at the same time",
        advice="launch fewer programs that each do more, or without launch_cooperative_grid",
    )


def raise_assertion_error(kernel: str, message: str) -> NoReturn:
    """Raises the error for a program that ended by `tl.device_assert`."""
    raise DeviceAssertError(
        f"a program of kernel '{kernel}' failed an assertion",
        code="SG0614",
        why=message,
        advice="look at the arguments of this launch; what the other programs wrote stays",
    )


def raise_load_error(kernel: str, reason: str) -> NoReturn:
    """Raises the error for a compiled kernel that cannot be mapped or called."""
    raise LoadError(
        f"the compiled kernel '{kernel}' cannot be loaded",
        code="SG0705",
        why=reason,
        advice="clear the cache of compiled kernels and launch again",
    )
