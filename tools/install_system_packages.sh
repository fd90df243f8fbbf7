#!/usr/bin/env bash
# Installs what the build needs from Debian 12: MLIR, LLVM and lld 22 with
# their headers, a C++ compiler, CMake, Ninja, and Python's headers and venv;
# besides, qemu and cross compilers for the emulated devices of the tests.
# Does nothing where all is installed; needs root, or sudo.
set -euo pipefail

packages=(
  g++ make cmake ninja-build ccache
  llvm-22-dev libmlir-22-dev mlir-22-tools lld-22 liblld-22-dev libpolly-22-dev
  zlib1g-dev libzstd-dev libxml2-dev
  python3 python3-dev python3-venv
  # Emulated devices: the emulator, and a compiler for the worker that runs in it.
  qemu-user g++-aarch64-linux-gnu g++-riscv64-linux-gnu
)

if ! command -v apt-get >/dev/null; then
  echo "No apt-get here: install a C++17 compiler, CMake, Ninja and MLIR/LLVM/LLD 22" >&2
  echo "yourself and set MLIR_DIR to the folder of MLIRConfig.cmake." >&2
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

root=()
[ "$(id -u)" -eq 0 ] || root=(sudo)
echo "Installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${root[@]}" apt-get update -q
"${root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends "${missing[@]}"
