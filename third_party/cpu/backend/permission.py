"""What the system must grant to a process before it may use some registers.

Linux keeps the state of x86's tiles only for processes that asked for it (arch_prctl with
ARCH_REQ_XCOMP_PERM, see Documentation/arch/x86/xstate.rst); without, the first tile instruction
ends the process.
"""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache

from seagrove.compiler.targets import TargetDescription
from seagrove.errors import TargetError

_SYS_ARCH_PRCTL = 158
_REQUEST_PERMISSION = 0x1023
_TILE_DATA = 18


def _request(feature: int) -> int:
    """Asks for the state of a feature: 0, or the number of the system's error."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(_SYS_ARCH_PRCTL, _REQUEST_PERMISSION, feature) == 0:
        return 0
    return ctypes.get_errno()


@lru_cache(maxsize=1)
def _request_tiles() -> int:
    return _request(_TILE_DATA)


def require(target: TargetDescription) -> None:
    """Gets what code for `target` needs.

    Raises:
        TargetError: SG0740 where the system refuses.
    """
    if "amx-tile" not in target.requires:
        return
    if error := _request_tiles():
        raise TargetError(
            f"the system does not let this process use the tiles that '{target.name}' needs",
            code="SG0740",
            why=os.strerror(error),
            advice="set SEAGROVE_CPU_TARGET=x86-64-v4; Linux grants them from version 5.16 on",
        )
