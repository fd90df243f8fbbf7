"""The code of a kernel grows with the kernel's text and not with its block."""

from __future__ import annotations

import pytest

from seagrove.testing import scaling

# What the edges of tiles may add to the operations and to the object file.
OPERATIONS = 1.7
BYTES = 1.3


@pytest.mark.parametrize(
    "kind", [k for k in scaling.KINDS if not k.unrolled], ids=lambda kind: kind.name
)
def test_code_does_not_grow_with_the_block(kind):
    small, large = scaling.sizes_of(kind)
    assert small.ttir_ops == large.ttir_ops
    assert large.vector_ops <= OPERATIONS * small.vector_ops
    assert large.instructions <= OPERATIONS * small.instructions
    assert large.object_bytes <= BYTES * small.object_bytes
