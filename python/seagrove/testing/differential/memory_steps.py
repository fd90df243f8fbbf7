"""Steps of the generator that touch memory."""

from __future__ import annotations

from seagrove.testing.differential import formats
from seagrove.testing.differential.builder import Builder, Var, row_major, span
from seagrove.testing.differential.ir import Type, Window

# Floats and wide integers more often: more operations are defined on them.
LOADED = (
    *("f32", "i32", "f16", "i64", "i8", "u8", "bf16", "i16", "u32", "f64", "u16", "u64"),
    *("f32", "f32", "f32", "f64", "f16", "i32", "i64"),
)
_BLOCKS = ((8, 16), (4, 32), (16, 16), (64,), (16,))
_MOST_COLUMNS = 128
ATOMIC_INTS = ("i32", "u32", "i64", "u64")


def input_fill(b: Builder, dtype: str) -> str:
    if formats.is_float(dtype):
        return b.choices.pick(["small", "normal", "special"])
    return b.choices.pick(["small", "any"])


def own_offsets(b: Builder, shape: tuple[int, ...], room: int = 0) -> tuple[Var, int]:
    """Offsets of this program's own slice, and the size of all slices.

    Args:
        room: numbers that the slice holds beyond the block.
    """
    strides = row_major(shape, b.choices.pick([0, 0, 3]) if len(shape) > 1 else 0)
    if len(shape) == 2 and b.choices.chance(15):
        strides = [1, shape[0] + b.choices.pick([0, 1])]
    slice_size = span(shape, strides) + room
    wide = b.choices.chance(15)

    def make() -> Var:
        start = b.op("mul", b.linear_program(), slice_size)
        if wide:
            start = b.op("cast", start, dtype="i64")
        return b.op("add", start, b.lanes(shape, strides)) if shape else start

    offsets = b.shared(("own", shape, tuple(strides), slice_size, wide), make)
    return offsets, slice_size * b.programs


def bound_mask(b: Builder, shape: tuple[int, ...]) -> Var:
    """A mask of the kind `index < n`, joined over the dimensions."""
    mask: Var | None = None
    b.plumbing += 1
    for axis, extent in enumerate(shape):
        if mask is not None and b.choices.chance(30):
            continue
        index = b.along(shape, axis)
        limit = b.choices.integer(0, extent)
        bound: Var | int = b.scalar(limit) if b.choices.chance(60) else limit
        part = b.op(b.choices.pick(["lt", "lt", "lt", "ge", "le"]), index, bound)
        mask = part if mask is None else b.op("and", mask, part)
    assert mask is not None
    if mask.shape != shape:
        mask = b.op("broadcast", mask, shape=shape)
    b.plumbing -= 1
    return b.show(mask)


def some_mask(b: Builder, shape: tuple[int, ...]) -> Var | None:
    """None, a bound, or any truth values of the shape that are at hand."""
    if not shape or b.choices.chance(25):
        return None
    known = b.some(lambda v: v.dtype == "i1" and v.shape == shape)
    if known is not None and b.choices.chance(40):
        return known
    return bound_mask(b, shape)


def address(b: Builder, pointer: Var, offsets: Var | int) -> Var:
    b.plumbing += 1
    moved = b.op("address", pointer, offsets)
    b.plumbing -= 1
    return moved


def literal(b: Builder, dtype: str) -> int | float:
    if formats.is_float(dtype):
        return b.choices.pick([1.0, -2.0, 0.5, 3.0, -0.25])
    if dtype in formats.UNSIGNED or dtype == "i1":
        return b.choices.integer(0, 1 if dtype == "i1" else 100)
    return b.choices.integer(-100, 100)


def guarded_load(b: Builder, pointer: Var, mask: Var | None) -> Var:
    """A load none of whose lanes is undefined in the end."""
    dtype = b.buffer_dtype(pointer)
    if mask is None:
        return b.load(pointer)
    if b.choices.chance(20):
        value = b.load(pointer, mask)
        b.scope.remove(value)
        return b.op("where", mask, value, literal(b, dtype))
    same = b.some(lambda v: v.dtype == dtype and v.shape == pointer.shape and v.exact)
    if same is not None and b.choices.chance(25):
        return b.load(pointer, mask, same)
    return b.load(pointer, mask, literal(b, dtype))


def load_own(b: Builder, shape: tuple[int, ...], dtype: str | None = None) -> Var:
    """Reads this program's slice of a new input."""
    dtype = dtype or b.choices.pick(LOADED)
    offsets, size = own_offsets(b, shape)
    start = b.choices.pick([0, 0, 1, 3])
    buffer = b.buffer(b.storage(dtype, size + start, input_fill(b, dtype)), start)
    return guarded_load(b, address(b, buffer, offsets), some_mask(b, shape))


def load_shared(b: Builder, shape: tuple[int, ...]) -> Var:
    """Reads numbers that all programs share, by strides, backwards, wrapped, or by indices."""
    dtype = b.choices.pick(LOADED)
    size = b.choices.pick([64, 37, 128])
    b.plumbing += 1
    offsets = shared_offsets(b, shape, size)
    b.plumbing -= 1
    buffer = b.buffer(b.storage(dtype, size, input_fill(b, dtype)))
    return guarded_load(b, address(b, buffer, offsets), some_mask(b, shape))


def shared_offsets(b: Builder, shape: tuple[int, ...], size: int) -> Var:
    """Offsets within 0 .. size - 1 that do not come from one stride."""
    kind = b.choices.pick(["wrapped", "index", "data", "reversed"])
    if kind == "index":
        own, total = own_offsets(b, shape)
        index_type = b.choices.pick(["i32", "i64"])
        table = b.buffer(b.storage(index_type, total, f"index:{size}"))
        return b.load(address(b, table, own))
    if kind == "data":
        known = b.some(lambda v: formats.is_int(v.dtype) and v.shape == shape)
        known = known or b.show(b.lanes(shape, row_major(shape)))
        if known is not None:
            return b.op("and", b.op("cast", known, dtype="i32"), 31)
    lanes = b.lanes(shape, row_major(shape))
    if kind == "reversed" and lanes.type.elements <= size:
        last = b.op("full", lanes.type.elements - 1, dtype="i32", shape=())
        return b.op("sub", last, lanes)
    step = b.op("mul", lanes, b.choices.pick([1, 3, 5]))
    moved = b.op("add", step, b.op("mul", b.linear_program(), b.choices.pick([0, 1, 7])))
    return b.op("mod", moved, size)


def load_scalar(b: Builder) -> Var:
    """Reads one number."""
    dtype = b.choices.pick(LOADED)
    buffer = b.buffer(b.storage(dtype, b.programs, input_fill(b, dtype)))
    return b.load(address(b, buffer, b.linear_program()))


def store_own(b: Builder, value: Var, masked: bool = True) -> None:
    """Writes a value into this program's slice of a new output."""
    offsets, size = own_offsets(b, value.shape)
    buffer = b.buffer(b.storage(value.dtype, size, "mark"))
    mask = some_mask(b, value.shape) if masked else None
    b.store(address(b, buffer, offsets), value, mask)


def alias(b: Builder, shape: tuple[int, ...]) -> None:
    """Loads and stores of overlapping slices of one buffer that may go by two names."""
    dtype = b.choices.pick(LOADED)
    offsets, size = own_offsets(b, shape, room=8)
    start = b.choices.pick([0, 0, 2])
    storage = b.storage(dtype, size + start, input_fill(b, dtype))
    names = [b.buffer(storage, start), b.buffer(storage, start)]
    loaded: list[Var] = []
    for _ in range(b.choices.integer(2, 5)):
        pointer = address(b, b.choices.pick(names), offsets)
        shift = b.choices.integer(0, 5)
        pointer = address(b, pointer, shift) if shift else pointer
        stored = b.some(lambda v: v.dtype == dtype and v.shape == shape and v.exact)
        if stored is None or not loaded or b.choices.chance(50):
            loaded.append(guarded_load(b, pointer, some_mask(b, shape)))
        else:
            b.store(pointer, stored, some_mask(b, shape))


def window(b: Builder) -> None:
    """Reads or writes a block that may reach out of its matrix."""
    value = b.some(lambda v: v.shape in _BLOCKS and v.dtype in LOADED and v.exact)
    writes = value is not None and b.choices.chance(40)
    dtype = value.dtype if value is not None and writes else b.choices.pick(LOADED)
    block = value.shape if value is not None and writes else b.choices.pick(_BLOCKS)
    shape = tuple(b.choices.integer(1, extent + 3) for extent in block)
    # Rows begin at multiples of 16 bytes, as descriptors ask for.
    strides = tuple(_MOST_COLUMNS if axis + 1 < len(block) else 1 for axis in range(len(block)))
    size = shape[0] * strides[0] if len(block) > 1 else _MOST_COLUMNS
    offsets: list[int | str] = [b.choices.integer(-2, extent) for extent in shape]
    if b.choices.chance(40):
        offsets[0] = b.scalar(int(offsets[0])).name
    buffer = b.buffer(
        b.storage(dtype, size * b.programs, "mark" if writes else input_fill(b, dtype))
    )
    b.plumbing += 1
    own = address(b, buffer, b.op("mul", b.linear_program(), size))
    b.plumbing -= 1
    kind = b.choices.pick(["descriptor", "block pointer"])
    if kind == "descriptor":
        # Which ask as much of where a block begins in its row.
        offsets[-1] = b.choices.pick([0, 16, -16])
    where = Window(kind, shape, strides, tuple(offsets))
    if value is not None and writes:
        b.store_window(own, value, where)
    else:
        b.load_window(own, where, block)


def narrow(b: Builder, shape: tuple[int, ...]) -> None:
    """Reads 8-bit floats, or rounds to them and writes them."""
    dtype = b.choices.pick(formats.NARROW_FLOATS)
    value = b.some(lambda v: v.dtype in ("f32", "f16") and bool(v.shape) and v.exact)
    if value is not None and b.choices.chance(40):
        store_own(b, b.op("cast", value, dtype=dtype))
        return
    offsets, size = own_offsets(b, shape)
    buffer = b.buffer(b.storage(dtype, size, input_fill(b, dtype)))
    read = b.load(address(b, buffer, offsets))
    b.scope.remove(read)
    b.op("cast", read, dtype=b.choices.pick(["f32", "f16"]))


def atomic(b: Builder, shape: tuple[int, ...]) -> None:
    """An atomic update, of numbers that all programs share or of this program's own."""
    dtype = b.choices.pick(ATOMIC_INTS)
    value = b.some(lambda v: v.dtype == dtype and v.shape == shape)
    value = value or load_own(b, shape, dtype)
    kind = b.choices.pick(["add", "and", "or", "xor", "max", "min"])
    used = b.choices.chance(50)
    if used:
        kind = b.choices.pick([kind, "xchg"])
        offsets, size = own_offsets(b, shape)
        counters = b.buffer(b.storage(dtype, size, "any"))
    else:
        counters = b.buffer(b.storage(dtype, 32, "any"))
        period = b.choices.pick([8, 1, 32])
        lanes = b.lanes(shape, row_major(shape))
        offsets = b.shared(("period", shape, period), lambda: b.op("mod", lanes, period))
    mask = some_mask(b, shape)
    old = b.atomic(kind, address(b, counters, offsets), value, mask, used)
    if old is not None and mask is not None:
        # Lanes that are off have no old value.
        b.scope.remove(old)
        b.op("where", mask, old, literal(b, dtype))


def stepping_pointer(b: Builder, shape: tuple[int, ...], iterations: int) -> tuple[Var, int]:
    """A pointer for a loop to move, and by how much it may move in each iteration."""
    dtype = b.choices.pick(LOADED)
    step = b.choices.pick([1, 8, 3])
    offsets, size = own_offsets(b, shape)
    storage = b.storage(dtype, size + step * iterations, input_fill(b, dtype))
    pointer = address(b, b.buffer(storage), offsets)
    moving = b.declare(Type(pointer.dtype, pointer.shape), prefix="q")
    b.op("copy", pointer, into=moving)
    return moving, step
