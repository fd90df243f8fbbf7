"""What must hold of this process's registers before code for a target may run in it.

Linux keeps the state of x86's tiles only for processes that asked for it (arch_prctl with
ARCH_REQ_XCOMP_PERM, see Documentation/arch/x86/xstate.rst); without, the first tile instruction
ends the process. Scalable code is made for registers up to a length that its description states; on
longer ones it would write beyond its blocks.
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
_PR_SVE_GET_VL = 51
_SVE_LENGTH_BYTES = 0xFFFF


def _request(feature: int) -> int:
    """Asks for the state of a feature: 0, or the number of the system's error."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(_SYS_ARCH_PRCTL, _REQUEST_PERMISSION, feature) == 0:
        return 0
    return ctypes.get_errno()


@lru_cache(maxsize=1)
def _request_tiles() -> int:
    return _request(_TILE_DATA)


@lru_cache(maxsize=1)
def _scalable_bits() -> int:
    """The length of this process's SVE registers; 0 where the system tells none."""
    answer = int(ctypes.CDLL(None).prctl(_PR_SVE_GET_VL, 0, 0, 0, 0))
    return 8 * (answer & _SVE_LENGTH_BYTES) if answer > 0 else 0


def require(target: TargetDescription) -> None:
    """Gets what code for `target` needs.

    Raises:
        TargetError: SG0740 where the system refuses it; SG0741 where the registers are longer than
            the code is made for.
    """
    if "amx-tile" in target.requires and (error := _request_tiles()):
        raise TargetError(
            f"the system does not let this process use the tiles that '{target.name}' needs",
            code="SG0740",
            why=os.strerror(error),
            advice="set SEAGROVE_CPU_TARGET=x86-64-v4; Linux grants them from version 5.16 on",
        )
    if "sve" in target.requires and (bits := _scalable_bits()) > target.scalable_max_bits:
        raise TargetError(
            f"this machine's vectors are too long for code made for '{target.name}'",
            code="SG0741",
            why=f"they have {bits} bits, and the code reckons with {target.scalable_max_bits}",
            advice="set SEAGROVE_CPU_TARGET=armv8.6-a, or limit the length by "
            "/proc/sys/abi/sve_default_vector_length",
        )
