"""Builds the wheel: CMake makes the native parts, setuptools packs them.

One CMake build tree (`build/`, or $SEAGROVE_BUILD_DIR) is kept between runs, so a second
`pip install .` recompiles only what changed. Read from the environment:

    MLIR_DIR           folder of MLIRConfig.cmake (default: that of /usr/lib/llvm-22)
    CMAKE_ARGS         further arguments for the configuration step
    SEAGROVE_BUILD_DIR the CMake build tree
    SEAGROVE_JOBS      parallel compile jobs (default: the CPUs this process may use)
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

# setuptools provides distutils, also where Python no longer does.
from distutils.command.build_scripts import build_scripts  # isort: skip

ROOT = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("SEAGROVE_BUILD_DIR", ROOT / "build")).resolve()
TOOLS = ("seagrove-opt",)
DEFAULT_LLVM = Path("/usr/lib/llvm-22")


def version() -> str:
    """The version, written once in python/seagrove/_version.py."""
    scope: dict[str, str] = {}
    exec((ROOT / "python/seagrove/_version.py").read_text(), scope)
    return scope["__version__"]


def vendors() -> list[str]:
    """Names of the chip families that live in third_party/."""
    return sorted(p.parent.parent.name for p in ROOT.glob("third_party/*/backend/__init__.py"))


def package_dirs() -> dict[str, str]:
    """Folder of every package that does not lie at its usual place under python/.

    A backend lives in third_party/<vendor>/backend and is installed as
    seagrove.backends.<vendor>; its target descriptions (isa/) travel with it.
    """
    dirs = {"": "python"}
    for vendor in vendors():
        base = f"third_party/{vendor}"
        dirs[f"seagrove.backends.{vendor}"] = f"{base}/backend"
        for sub in find_packages(f"{base}/backend"):
            dirs[f"seagrove.backends.{vendor}.{sub}"] = f"{base}/backend/{sub.replace('.', '/')}"
        if (ROOT / base / "isa").is_dir():
            dirs[f"seagrove.backends.{vendor}.isa"] = f"{base}/isa"
    return dirs


def parallel_jobs() -> int:
    return int(os.environ.get("SEAGROVE_JOBS", len(os.sched_getaffinity(0))))


def configure_arguments() -> list[str]:
    import nanobind

    arguments = [
        *("-G", "Ninja"),
        # Forget another Python's headers, which CMake would not look for again.
        *("-U", "Python_*", "-U", "_Python_*"),
        f"-DPython_EXECUTABLE={sys.executable}",
        f"-Dnanobind_DIR={nanobind.cmake_dir()}",
        f"-DSEAGROVE_VERSION={version()}",
        # One link at a time: each takes 1.4 GB with lld and more without.
        f"-DCMAKE_JOB_POOLS=compile={parallel_jobs()};link=1",
        "-DCMAKE_JOB_POOL_COMPILE=compile",
        "-DCMAKE_JOB_POOL_LINK=link",
    ]
    mlir_dir = os.environ.get("MLIR_DIR", "")
    if not mlir_dir and (DEFAULT_LLVM / "lib/cmake/mlir").is_dir():
        mlir_dir = str(DEFAULT_LLVM / "lib/cmake/mlir")
    if mlir_dir:
        arguments.append(f"-DMLIR_DIR={mlir_dir}")
    return arguments + shlex.split(os.environ.get("CMAKE_ARGS", ""))


def cross_compilers() -> list[str]:
    """What CMake may build the workers of emulated devices with: it looks once for each."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return sorted({p.name for folder in folders for p in Path(folder).glob("*-linux-gnu-g++")})


def cmake_build() -> None:
    """Configures where the arguments changed and builds the module and the tools."""
    stamp = BUILD / "seagrove-configure.txt"
    arguments = configure_arguments()
    wanted = "\n".join([*arguments, *cross_compilers()])
    if not stamp.exists() or stamp.read_text() != wanted:
        BUILD.mkdir(parents=True, exist_ok=True)
        subprocess.check_call(["cmake", "-S", str(ROOT), "-B", str(BUILD), *arguments])
        stamp.write_text(wanted)
    subprocess.check_call(
        ["cmake", "--build", str(BUILD), "--parallel", str(parallel_jobs())]
        + ["--target", "_seagrove", "seagrove-workers", *TOOLS]
    )


def built_file(pattern: str) -> Path:
    """The newest file of the build tree that matches `pattern`."""
    found = [p for p in BUILD.glob(pattern) if p.is_file() and os.access(p, os.X_OK)]
    if not found:
        raise FileNotFoundError(f"the build made no {pattern} under {BUILD}")
    return max(found, key=lambda p: p.stat().st_mtime)


def copy_stripped(source: Path, target: Path) -> None:
    """Copies without the symbol table, which is half of the size; a no-op when up to date."""
    if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)
    strip = shutil.which("strip") or str(DEFAULT_LLVM / "bin/llvm-strip")
    subprocess.check_call([strip, "--strip-all", str(target)])


class CMakeBuildExt(build_ext):
    """Lets CMake make the extension modules."""

    def build_extension(self, ext: Extension) -> None:
        cmake_build()
        source = built_file(f"python/src/**/{ext.name.rpartition('.')[2]}*.so")
        module = Path(self.get_ext_fullpath(ext.name))
        copy_stripped(source, module)
        copy_workers(module.parent)


def copy_workers(package: Path) -> None:
    """Packs the programs that run on emulated devices: those that this machine could build."""
    for vendor in vendors():
        for source in BUILD.glob(f"third_party/{vendor}/runtime/seagrove-worker-*"):
            target = package / "backends" / vendor / "runtime" / source.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            target.chmod(0o755)


class CleanBuildPy(build_py):
    """Drops the Python files of earlier builds, so that a deleted module is not shipped."""

    def run(self) -> None:
        package = Path(self.build_lib) / "seagrove"
        for path in package.rglob("*"):
            if path.is_file() and path.suffix != ".so":
                path.unlink()
        super().run()


class BuildTools(build_scripts):
    """Packs the native command line tools; pip puts them on PATH."""

    def get_source_files(self) -> list[str]:
        return []

    def run(self) -> None:
        for tool in TOOLS:
            copy_stripped(built_file(f"bin/**/{tool}"), Path(self.build_dir) / tool)


PACKAGE_DIRS = package_dirs()

setup(
    version=version(),
    package_dir=PACKAGE_DIRS,
    packages=find_packages("python") + [name for name in PACKAGE_DIRS if name],
    package_data={"": ["py.typed", "*.pyi", "**/*.json", "*.md"]},
    include_package_data=False,
    ext_modules=[Extension("seagrove._seagrove", sources=[])],
    scripts=list(TOOLS),
    cmdclass={"build_ext": CMakeBuildExt, "build_py": CleanBuildPy, "build_scripts": BuildTools},
    entry_points={
        "console_scripts": ["seagrove = seagrove.tools.cli:main"],
        "seagrove.backends": [f"{name} = seagrove.backends.{name}:BACKEND" for name in vendors()],
        # By one of these `import triton` finds us; the adapter shows it the others.
        "triton.backends": [
            f"{name} = seagrove.backends.{name}"
            for name in vendors()
            if (ROOT / f"third_party/{name}/backend/driver.py").is_file()
        ],
    },
    options={"build": {"build_base": str(BUILD / "setuptools")}},
    setup_requires=[
        package
        for package, program in (("cmake>=3.20", "cmake"), ("ninja", "ninja"))
        if shutil.which(program) is None
    ],
    zip_safe=False,
)
