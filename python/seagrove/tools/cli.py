"""The command `seagrove`: one subcommand each for a question a user has."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from seagrove import __version__
from seagrove.errors import SeagroveError

Command = Callable[[argparse.Namespace], int]


def _doctor(arguments: argparse.Namespace) -> int:
    from seagrove.tools import doctor

    return doctor.main(as_json=arguments.json)


def _compile(arguments: argparse.Namespace) -> int:
    from seagrove.tools import compile_command

    return compile_command.main(arguments)


def _explain(arguments: argparse.Namespace) -> int:
    from seagrove.tools import explain_command

    return explain_command.main(arguments)


def _devices(arguments: argparse.Namespace) -> int:
    from seagrove.tools import devices_command

    return devices_command.print_devices(as_json=arguments.json)


def _targets(arguments: argparse.Namespace) -> int:
    from seagrove.tools import devices_command

    return devices_command.print_targets(as_json=arguments.json)


def _new_backend(arguments: argparse.Namespace) -> int:
    from seagrove.tools import new_backend

    return new_backend.main(arguments.name, Path(arguments.out))


def _add_kernel_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--signature",
        metavar="TYPES",
        help='one type or value a parameter, such as "*fp32,*fp32,i32,1024"; a type with :16 '
        "is known to be a multiple of 16 (pointers always are)",
    )
    command.add_argument("--backend", default="", help="default: that of the target")
    command.add_argument(
        "--target",
        default="",
        metavar="PREFIX:ARCH",
        help="see `seagrove targets`; default: the host",
    )
    command.add_argument(
        "--option",
        dest="options",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a launch option, such as num_warps=8; may be repeated",
    )
    command.add_argument("-O", dest="opt_level", type=int, choices=range(4), default=3)


def _add_compile(command: argparse.ArgumentParser) -> None:
    from seagrove.compiler.options import EMIT_KINDS

    command.add_argument("kernel", metavar="FILE.py[::NAME]", help="without NAME: list the kernels")
    _add_kernel_options(command)
    command.add_argument(
        "--emit",
        default="",
        metavar="STAGE",
        help=f"one of {', '.join(EMIT_KINDS)}, or a stage of the target's own compiler; "
        "default: llvm, or assembly",
    )
    command.add_argument("-o", dest="output", metavar="FILE", help="default: standard output")
    command.add_argument(
        "--remarks", action="store_true", help="print what the compiler could not do well, and why"
    )
    command.add_argument("--timing", action="store_true", help="print the time of each pass")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="seagrove", description=__doc__)
    parser.add_argument("--version", action="version", version=f"seagrove {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    doctor = add("doctor", _doctor, "run a kernel on each backend and say what works and why not")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")

    _add_compile(add("compile", _compile, "show a kernel at any stage of its compilation"))

    explain = add("explain", _explain, "explain a code, or what the compiler makes of a kernel")
    explain.add_argument(
        "what",
        metavar="CODE|FILE.py::NAME",
        nargs="?",
        help="a code such as SG0601, or a kernel: what the passes chose for each source line and "
        "why, and the time of each; without it, list the codes",
    )
    _add_kernel_options(explain)
    devices = add("devices", _devices, "list the installed backends and their devices")
    targets = add("targets", _targets, "list the chips that code can be made for")
    for command in (devices, targets):
        command.add_argument("--json", action="store_true", help="print the answer as JSON")

    new_backend = add("new-backend", _new_backend, "write the skeleton of a backend's package")
    new_backend.add_argument("name", help="lower case; what users will choose it by")
    new_backend.add_argument("--out", default=".", metavar="DIR", help="default: this folder")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status (0 success, 1 failure, 2 wrong usage)."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except SeagroveError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0
