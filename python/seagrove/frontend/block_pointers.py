"""Block pointers as a library over tensors of pointers, where Triton has dropped them (3.9).

`tl.make_block_ptr` describes a tensor in memory and a block of it, `tl.advance` moves the block,
and `tl.load` and `tl.store` take it with `boundary_check` and `padding_option`. Here a block
pointer is a value of the front end alone: the address of the tensor, its shape and strides and the
block's offsets, all scalars, so that it can be carried through loops and given to functions. An
access makes the pointers and the mask of the block, which the compiler reads back into the same
structured access that a block pointer of earlier releases becomes.

`install` puts the functions into `triton.language`; the adapter (triton_compat) calls it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from triton.language import core

__all__ = ["BlockPointer", "install"]


class BlockPointerType(core.base_type):  # type: ignore[misc]  # Triton has no types
    """What is known of a block pointer when it is compiled."""

    def __init__(self, pointer: Any, block_shape: tuple[int, ...], order: tuple[int, ...]) -> None:
        self.pointer = pointer
        self.block_shape = block_shape
        self.order = order

    def _types(self) -> list[Any]:
        return [self.pointer] + [core.int64] * (3 * len(self.block_shape))

    def _flatten_ir_types(self, builder: Any, out: list[Any]) -> None:
        for part in self._types():
            part._flatten_ir_types(builder, out)

    def _unflatten_ir(self, handles: Sequence[Any], cursor: int) -> tuple[BlockPointer, int]:
        parts = []
        for part in self._types():
            value, cursor = part._unflatten_ir(handles, cursor)
            parts.append(value)
        return BlockPointer(self, parts), cursor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BlockPointerType) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return f"block_pointer<{self.pointer}, {self.block_shape}, {self.order}>"

    def mangle(self) -> str:
        sizes = "_".join(map(str, (*self.block_shape, *self.order)))
        return f"BP{self.pointer.mangle()}_{sizes}_PB"


class BlockPointer(core.base_value):  # type: ignore[misc]
    """A block of a tensor in memory; made by `tl.make_block_ptr`.

    Attributes:
        base: pointer to the tensor's first element.
        shape, strides, offsets: one int64 scalar for each dimension, in elements.
    """

    def __init__(self, kind: BlockPointerType, parts: Sequence[Any]) -> None:
        rank = len(kind.block_shape)
        self.type = kind
        self.base, *sizes = parts
        self.shape, self.strides = sizes[:rank], sizes[rank : 2 * rank]
        self.offsets = sizes[2 * rank :]

    @property
    def dtype(self) -> Any:
        return self.base.dtype

    def _parts(self) -> list[Any]:
        return [self.base, *self.shape, *self.strides, *self.offsets]

    def _flatten_ir(self, handles: list[Any]) -> None:
        for part in self._parts():
            part._flatten_ir(handles)

    def _set_name(self, builder: Any, name: str) -> None:
        for part in self._parts():
            part._set_name(builder, name)

    @core.builtin  # type: ignore[untyped-decorator]
    def advance(self, offsets: Iterable[Any], _semantic: Any = None) -> BlockPointer:
        """The block that lies `offsets` elements further, one for each dimension."""
        steps = _scalars(offsets, "offsets", len(self.shape), _semantic)
        moved = [
            _semantic.add(old, step, True) for old, step in zip(self.offsets, steps, strict=True)
        ]
        return BlockPointer(self.type, [self.base, *self.shape, *self.strides, *moved])

    def accesses(self, boundary_check: object, semantic: Any) -> tuple[Any, Any]:
        """The pointers of the block, and the mask of the dimensions to check or None."""
        pointers, mask = self.base, None
        checked = self._checked(boundary_check)
        rank = len(self.shape)
        for axis, extent in enumerate(self.type.block_shape):
            index = core.arange(0, extent, _semantic=semantic).to(core.int64, _semantic=semantic)
            index = semantic.add(index, self.offsets[axis], True)
            for other in range(rank):
                if other != axis:
                    index = core.expand_dims(index, other, _semantic=semantic)
            step = semantic.mul(index, self.strides[axis], True)
            pointers = semantic.add(pointers, step, True)
            if axis in checked:
                low = semantic.greater_equal(index, semantic.to_tensor(0))
                inside = semantic.and_(low, semantic.less_than(index, self.shape[axis]))
                mask = inside if mask is None else semantic.and_(mask, inside)
        return pointers, mask

    def _checked(self, boundary_check: object) -> set[int]:
        given = _plain(boundary_check)
        if given is None:
            return set()
        axes = [_plain(axis) for axis in (given if isinstance(given, Iterable) else (given,))]
        if any(axis not in range(len(self.shape)) for axis in axes) or len(set(axes)) < len(axes):
            raise ValueError(
                f"boundary_check names dimensions from 0 to {len(self.shape) - 1}, each once"
            )
        return set(axes)


def _plain(value: Any) -> Any:
    """The Python value of a constexpr; anything else unchanged."""
    return value.value if isinstance(value, core.constexpr) else value


def _scalars(values: Iterable[Any], name: str, rank: int, semantic: Any) -> list[Any]:
    """The elements as int64 scalars."""
    found = [semantic.to_tensor(_plain(value)) for value in _plain(values)]
    if len(found) != rank:
        raise ValueError(f"{name} must have {rank} elements, one for each dimension of the block")
    if any(value.type.is_block() or not value.dtype.is_int() for value in found):
        raise ValueError(f"{name} must be integers")
    return [value.to(core.int64, _semantic=semantic) for value in found]


def _numbers(values: Iterable[Any]) -> tuple[int, ...]:
    return tuple(_plain(value) for value in _plain(values))


def _make_block_ptr(
    base: Any,
    shape: Any,
    strides: Any,
    offsets: Any,
    block_shape: Any,
    order: Any,
    _semantic: Any = None,
) -> BlockPointer:
    block, ranks = _numbers(block_shape), _numbers(order)
    if not base.type.is_ptr() or base.type.element_ty.is_block():
        raise ValueError("the base of a block pointer must be a scalar pointer")
    if sorted(ranks) != list(range(len(block))):
        raise ValueError(f"order must be a permutation of 0 to {len(block) - 1}")
    parts = [base]
    for values, name in ((shape, "shape"), (strides, "strides"), (offsets, "offsets")):
        parts += _scalars(values, name, len(block), _semantic)
    return BlockPointer(BlockPointerType(base.type, block, ranks), parts)


def _advance(base: Any, offsets: Any, _semantic: Any = None) -> Any:
    if not isinstance(base, BlockPointer):
        raise ValueError("tl.advance takes a block pointer, made by tl.make_block_ptr")
    return base.advance(offsets, _semantic=_semantic)


def _padding(pointer: BlockPointer, option: Any) -> Any:
    """The value outside of the tensor for `padding_option`; None where it is not specified."""
    kind, element = _plain(option), pointer.dtype.element_ty
    if not kind:
        return None
    if kind == "zero":
        return 0.0 if element.is_floating() else 0
    if kind == "nan" and element.is_floating():
        return float("nan")
    raise ValueError(f"padding_option {kind!r} is not one of 'zero' and, for floats, 'nan'")


def _refuse_options(name: str, **options: Any) -> None:
    given = [key for key, value in options.items() if _plain(value) not in (None, "", ())]
    if given:
        raise ValueError(f"tl.{name} takes {' and '.join(given)} with a block pointer only")


def _load_of(upstream: Callable[..., Any]) -> Callable[..., Any]:
    def load(
        pointer: Any,
        mask: Any = None,
        other: Any = None,
        boundary_check: Any = (),
        padding_option: Any = "",
        _semantic: Any = None,
        **options: Any,
    ) -> Any:
        if not isinstance(pointer, BlockPointer):
            _refuse_options("load", boundary_check=boundary_check, padding_option=padding_option)
            return upstream(pointer, mask, other, _semantic=_semantic, **options)
        if _plain(mask) is not None or _plain(other) is not None:
            raise ValueError("tl.load takes no mask and no other with a block pointer")
        pointers, inside = pointer.accesses(boundary_check, _semantic)
        outside = None if inside is None else _padding(pointer, padding_option)
        return upstream(pointers, inside, outside, _semantic=_semantic, **options)

    return load


def _store_of(upstream: Callable[..., Any]) -> Callable[..., Any]:
    def store(
        pointer: Any,
        value: Any,
        mask: Any = None,
        boundary_check: Any = (),
        _semantic: Any = None,
        **options: Any,
    ) -> Any:
        if not isinstance(pointer, BlockPointer):
            _refuse_options("store", boundary_check=boundary_check)
            return upstream(pointer, value, mask, _semantic=_semantic, **options)
        if _plain(mask) is not None:
            raise ValueError("tl.store takes no mask with a block pointer")
        pointers, inside = pointer.accesses(boundary_check, _semantic)
        return upstream(pointers, value, inside, _semantic=_semantic, **options)

    return store


def install(language: Any) -> None:
    """Puts the functions into `triton.language` in the place of Triton's own; once.

    Args:
        language: the module `triton.language`.
    """
    if getattr(language.make_block_ptr, "seagrove", False):
        return
    replacements: dict[str, Callable[..., Any]] = {
        "make_block_ptr": _make_block_ptr,
        "advance": _advance,
        "load": _load_of(core.load),
        "store": _store_of(core.store),
    }
    for name, function in replacements.items():
        # Under the name and in the module of Triton's: kernels are looked through for what they
        # refer to, and functions of Triton's own count as known.
        wrapped: Any = functools.wraps(getattr(core, name))(function)
        del wrapped.__wrapped__
        wrapped.signature = inspect.signature(function)
        wrapped.seagrove = True
        setattr(core, name, wrapped)
        setattr(language, name, wrapped)
