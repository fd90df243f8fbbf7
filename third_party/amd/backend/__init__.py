"""AMD's GPUs, by the pipeline of the installed Triton: AMDGCN assembly and hsaco.

Compiles without a GPU: the wheel of Triton brings the device libraries and a linker. Where a GPU
and a torch built for ROCm are, kernels run by Triton's own driver.
"""

from __future__ import annotations

from pathlib import Path

from seagrove.upstream import Rule, UpstreamBackend

_MATRIX_CORES = ("gfx90a", "gfx942", "gfx950")


class AmdBackend(UpstreamBackend):
    """CDNA accelerators and RDNA graphics cards; `hip:gfx942` is the instruction set gfx942."""

    interface_version = 1
    name = "amd"
    triton_name = "hip"
    upstream_name = "amd"
    binary_ext = "hsaco"
    tensor_device = "cuda"  # As torch built for ROCm calls it.
    libdevice = "triton.language.extra.hip.libdevice"

    descriptions = Path(__file__).with_name("targets.json")
    device_nodes = ("/dev/kfd",)
    driver_library = "libamdhip64.so"
    torch_build = "hip"

    rules = (
        Rule(
            r"= tt\.dot .*xf64>",
            _MATRIX_CORES,
            "tl.dot of fp64, for which upstream picks a matrix instruction that it cannot make",
            "cast the operands to fp32, or write the product as tl.sum(a[:, :, None] * b[None], 1)",
        ),
    )
    assembly_errors = (r"^(?:<\S+>(?::\d+)*: )?error: (?P<text>.*)\n(?P<code>.*)$",)


BACKEND = AmdBackend
