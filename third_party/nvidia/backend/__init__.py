"""NVIDIA's GPUs, by the pipeline of the installed Triton: PTX and cubin.

Compiles without a GPU: the wheel of Triton brings the assembler `ptxas` and the library of
mathematical functions. Where a GPU is, kernels run by Triton's own driver.
"""

from __future__ import annotations

from pathlib import Path

from seagrove.upstream import UpstreamBackend


class NvidiaBackend(UpstreamBackend):
    """CUDA devices from compute capability 7.5 on; `cuda:90` is capability 9.0."""

    interface_version = 1
    name = "nvidia"
    triton_name = "cuda"
    upstream_name = "nvidia"
    binary_ext = "cubin"
    warp_size = 32
    tensor_device = "cuda"
    libdevice = "triton.language.extra.cuda.libdevice"

    descriptions = Path(__file__).with_name("targets.json")
    target_aliases = ("sm_", "sm")
    device_nodes = ("/dev/nvidia[0-9]*", "/dev/nvgpu", "/dev/nvmap", "/dev/dxg")
    driver_library = "libcuda.so.1"
    torch_build = "cuda"
    short_launches = True

    assembly_errors = (r"^ptxas\S* \S+, line (?P<line>\d+); error +: (?P<text>.*)$",)


BACKEND = NvidiaBackend
