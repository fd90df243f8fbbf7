"""What Triton's front end made of a kernel, kept for launches whose options it does not look at.

An autotuner tries each block size with several `num_warps` and `num_stages`. These mean nothing to
most backends, and never anything to the front end, which yet walks through the kernel's syntax tree
for each of them: of the time in which a tuner with 96 configurations compiles, six sevenths.
"""

from __future__ import annotations

import functools
import importlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from seagrove.compiler.options import LaunchOptions

# Texts that are kept: of one autotuned kernel after the other.
MOST_SOURCES = 16
MOST_TEXTS_EACH = 4


class _Recorder:
    """Options that write down which of them are read."""

    __slots__ = ("_options", "_seen")

    def __init__(self, options: LaunchOptions) -> None:
        self._options = options
        self._seen: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._options, name)
        self._seen[name] = value
        return value

    def seen(self) -> dict[str, Any]:
        """What was read, and found."""
        return self._seen


class KeptTexts:
    """TTIR by the kernel's source and specialisation, with the options that it was made with."""

    def __init__(self) -> None:
        self._known: OrderedDict[Any, list[tuple[dict[str, Any], str]]] = OrderedDict()

    def find(self, key: Any, options: LaunchOptions) -> str | None:
        """The text for these options, if they are those that it was made with as far as read."""
        for seen, text in self._known.get(key, ()):
            if all(getattr(options, name) == value for name, value in seen.items()):
                self._known.move_to_end(key)
                return text
        return None

    def keep(self, key: Any, seen: dict[str, Any], text: str) -> None:
        texts = self._known.setdefault(key, [])
        texts.append((seen, text))
        del texts[:-MOST_TEXTS_EACH]
        self._known.move_to_end(key)
        while len(self._known) > MOST_SOURCES:
            self._known.popitem(last=False)


KEPT = KeptTexts()


def install() -> None:
    """Lets Triton's `ASTSource.make_ir` give the text of a module that it has made before."""
    source: Any = importlib.import_module("triton.compiler.compiler").ASTSource
    if not hasattr(source.make_ir, "__wrapped__"):
        source.make_ir = _kept(source.make_ir)


def _kept(upstream: Callable[..., Any]) -> Callable[..., Any]:
    from triton import knobs

    environment = importlib.import_module("triton._C.libtriton").get_cache_invalidating_env_vars

    @functools.wraps(upstream)
    def make_ir(self: Any, target: Any, options: Any, *rest: Any, **more: Any) -> Any:
        # Who asks for each compilation, or for the places of the IR itself, gets the module.
        asked = knobs.compilation.always_compile or knobs.compilation.use_ir_loc
        if asked or not isinstance(options, LaunchOptions):
            return upstream(self, target, options, *rest, **more)
        # Equal functions of two files have their own places in the text.
        file = self.fn.fn.__code__.co_filename
        key = (file, self.hash(), str(target), tuple(sorted(environment().items())))
        if (text := KEPT.find(key, options)) is not None:
            return text
        recorder = _Recorder(options)
        text = str(upstream(self, target, recorder, *rest, **more))
        KEPT.keep(key, recorder.seen(), text)
        return text

    return make_ir
