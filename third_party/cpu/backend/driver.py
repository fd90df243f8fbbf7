"""The CPU backend's driver, as Triton finds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from seagrove.backends import cpu
from seagrove.compiler import targets
from seagrove.compiler.native import native
from seagrove.frontend import triton_compat
from seagrove.runtime import device, registry

# Device nodes of accelerators that have a Triton backend of their own. Where none exists, nobody
# needs to be asked, which saves loading torch or a vendor's driver library.
_ACCELERATOR_NODES = (
    "nvidiactl",
    "nvidia[0-9]*",
    "nvhost-gpu",
    "nvgpu",
    "nvmap",
    "dxg",
    "kfd",
)


class CpuUtils:
    """Loads compiled kernels and describes the device, for Triton's `driver.utils`."""

    def load_binary(
        self, name: str, image: bytes, shared: int, device: object
    ) -> tuple[Any, Any, int, int, int]:
        """Maps a kernel: (module, function, registers, spills, most threads of a program)."""
        kernel = native().Kernel(image, name)
        return kernel, kernel, 0, 0, 1 << 30

    def unload_module(self, module: Any) -> None:
        """Unmaps a kernel; a module of another driver is not ours to unload."""
        if isinstance(module, native().Kernel):
            module.unload()

    def get_device_properties(self, device_key: object) -> device.DeviceProperties:
        return device.host_properties()


def make_launcher(source: Any, metadata: Any) -> Callable[..., None]:
    """The launcher of a kernel, refused if this machine lacks what its code needs."""
    targets.require_runnable(cpu.describe(metadata.arch))
    return triton_compat.make_launcher(source, metadata)


class CpuDriver(triton_compat.DriverBase):  # type: ignore[misc]  # Triton has no types
    """Runs kernels on the host's cores, synchronously.

    The device key is the string "cpu", which equals no device number of another driver: Triton
    keeps compiled kernels by it.
    """

    is_host = True

    def __init__(self) -> None:
        triton_compat.install_runtime(cpu.NAME)
        self.utils = CpuUtils()
        self.launcher_cls = make_launcher

    @classmethod
    def no_other_device(cls) -> bool:
        """Whether it is certain that no accelerator is there, without asking a driver."""
        return not any(any(Path("/dev").glob(node)) for node in _ACCELERATOR_NODES)

    @classmethod
    def is_active(cls) -> bool:
        """Only if chosen, or if there is no other device to run on."""
        if registry.chosen() is not None:
            return registry.chosen() == cpu.NAME
        return cls.no_other_device() or not triton_compat.other_driver_active(cls)

    def get_current_target(self) -> Any:
        return triton_compat.GPUTarget(cpu.NAME, cpu.current_arch(), 1)

    def get_current_device(self) -> str:
        return cpu.NAME

    def set_current_device(self, device_key: object) -> None:
        """There is one device."""

    def get_current_stream(self, device_key: object = None) -> int:
        return 0

    def get_active_torch_device(self) -> Any:
        import torch

        return torch.device("cpu")

    def get_device_interface(self) -> type[device.HostInterface]:
        return device.HostInterface

    def map_python_to_cpp_type(self, ty: str) -> str:
        """The C type of an argument's slot."""
        if ty.startswith("*"):
            return "void*"
        return {
            "i1": "int8_t",
            "u1": "uint8_t",
            "fp16": "uint16_t",
            "bf16": "uint16_t",
            "fp32": "float",
            "f32": "float",
            "fp64": "double",
        }.get(ty) or f"{'u' if ty[0] == 'u' else ''}int{ty[1:]}_t"

    def get_benchmarker(self) -> Any:
        from triton.testing import do_bench

        return do_bench

    def get_empty_cache_for_benchmark(self) -> device.CacheFlusher:
        return device.CacheFlusher(device.last_level_cache_bytes())

    def clear_cache(self, cache: device.CacheFlusher) -> None:
        cache.zero_()
