"""AMD's GPUs, by the pipeline of the installed Triton: AMDGCN assembly and hsaco.

Compiles without a GPU: the wheel of Triton brings the device libraries and a linker. Where a GPU
and a torch built for ROCm are, kernels run by Triton's own driver.
"""

from __future__ import annotations

from pathlib import Path

from seagrove.upstream import Rule, UpstreamBackend


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
            ("gfx942",),
            "tl.dot of fp64, where this release of Triton ends the process",
            "install triton 3.8 or later, or cast the operands to fp32",
            before=(3, 8),
        ),
        Rule(
            r"tt\.func public",
            ("gfx1030",),
            "a kernel, since Triton 3.9 knows this chip no more",
            "install triton 3.6, 3.7 or 3.8",
            since=(3, 9),
        ),
    )
    assembly_errors = (
        r"^\S*assembler:(?P<line>\d+):\d+: error: (?P<text>.*)$",  # since Triton 3.9
        r"^error: (?P<text>.*)\n(?P<code>.*)$",
    )


BACKEND = AmdBackend
