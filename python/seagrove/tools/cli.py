"""The command `seagrove`: one subcommand each for a question a user has."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

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
    from seagrove.compiler.codes import EXPLANATIONS
    from seagrove.compiler.diagnostics import explain

    if arguments.code is None:
        for code, entry in sorted(EXPLANATIONS.items()):
            print(f"{code}  {entry.headline}")
        return 0
    try:
        print(explain(arguments.code))
    except KeyError:
        print(f"there is no code '{arguments.code}'; `seagrove explain` lists all", file=sys.stderr)
        return 1
    return 0


def _devices(arguments: argparse.Namespace) -> int:
    from seagrove.runtime import registry

    for name, backend in sorted(registry.backends().items()):
        answer = backend.probe()
        state = "compile only" if answer.compiles else "not usable"
        print(f"{name:12} {'usable' if answer.usable else state:12} {answer.why}")
        for device in answer.devices:
            print(f"{'':12} {device}")
    return 0


def _targets(arguments: argparse.Namespace) -> int:
    from seagrove.compiler import targets
    from seagrove.compiler.native import native
    from seagrove.runtime import registry

    for backend in registry.backends().values():
        for target in backend.load().targets():
            runnable = "runs here" if targets.runs_here(target) else ""
            print(f"{backend.name}:{target.name:16} {target.vector_bits:5} bit  {runnable}")
    mine = targets.host()
    print(f"host: {mine.cpu} ({mine.triple})")
    print(f"code generators: {', '.join(native().llvm_targets())}")
    return 0


def _parser() -> argparse.ArgumentParser:
    from seagrove.compiler.options import EMIT_KINDS

    parser = argparse.ArgumentParser(prog="seagrove", description=__doc__)
    parser.add_argument("--version", action="version", version=f"seagrove {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    doctor = add("doctor", _doctor, "run a kernel on each backend and say what works and why not")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")

    compile_ = add("compile", _compile, "show a kernel at any stage of its compilation")
    compile_.add_argument(
        "kernel", metavar="FILE.py[::NAME]", help="without NAME: list the kernels"
    )
    compile_.add_argument(
        "--signature",
        metavar="TYPES",
        help='one type or value a parameter, such as "*fp32,*fp32,i32,1024"; a type with :16 '
        "is known to be a multiple of 16 (pointers always are)",
    )
    compile_.add_argument(
        "--emit",
        default="",
        metavar="STAGE",
        help=f"one of {', '.join(EMIT_KINDS)}, or a stage of the target's own compiler; "
        "default: llvm, or assembly",
    )
    compile_.add_argument("--backend", default="", help="default: that of the target")
    compile_.add_argument(
        "--target",
        default="",
        metavar="PREFIX:ARCH",
        help="see `seagrove targets`; default: the host",
    )
    compile_.add_argument(
        "--option",
        dest="options",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a launch option, such as num_warps=8; may be repeated",
    )
    compile_.add_argument("-O", dest="opt_level", type=int, choices=range(4), default=3)
    compile_.add_argument("-o", dest="output", metavar="FILE", help="default: standard output")
    compile_.add_argument(
        "--remarks", action="store_true", help="print what the compiler could not do well, and why"
    )
    compile_.add_argument("--timing", action="store_true", help="print the time of each pass")

    explain = add("explain", _explain, "explain a code such as SG0601; without one, list them")
    explain.add_argument("code", nargs="?")
    add("devices", _devices, "list the installed backends and their devices")
    add("targets", _targets, "list the chips that code can be made for")
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
