"""Outputs so large that their vectors are written past the caches."""

from __future__ import annotations

import pytest
import torch
import triton
import triton.language as tl

from seagrove.runtime.device import last_level_cache_bytes

# Four times what is needed: a quarter of the largest cache.
ELEMENTS = max(last_level_cache_bytes(), 32 << 20) // 4


@triton.jit
def rows_kernel(x_ptr, y_ptr, pitch, rows, columns, ROWS: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    for start in range(0, columns, BLOCK):
        column = start + tl.arange(0, BLOCK)
        mask = (row[:, None] < rows) & (column[None, :] < columns)
        at = row[:, None].to(tl.int64) * pitch + column[None, :]
        tl.store(y_ptr + at, tl.load(x_ptr + at, mask=mask, other=0) + 1, mask=mask)


@pytest.mark.parametrize("first", [0, 1, 8])
@pytest.mark.parametrize("columns, pitch", [(4096, 4096), (4099, 4104), (4096, 4097), (7, 8)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.int8, torch.float64])
def test_rows(dtype, columns, pitch, first):
    """Every alignment of the first row and of the others; nothing is written beyond the mask."""
    # The narrow rows make many programs; a quarter of the elements is enough for them.
    rows = ELEMENTS // pitch // (1 if columns > 7 else 4)
    x = torch.arange(rows * pitch + 8) % 100
    x = x.to(dtype)[first:]
    y = torch.full_like(x, 5)
    rows_kernel[(triton.cdiv(rows, 4),)](x, y, pitch, rows, columns, ROWS=4, BLOCK=1024)
    got, had = y[: rows * pitch].view(-1), x[: rows * pitch].view(-1)
    whole = (len(had) // pitch) * pitch
    got, had = got[:whole].view(-1, pitch), had[:whole].view(-1, pitch)
    assert torch.equal(got[:, :columns], had[:, :columns] + 1)
    assert (got[:, columns:] == 5).all()
