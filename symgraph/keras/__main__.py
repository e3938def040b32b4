"""``python -m symgraph.keras script.py args...``: run a program written for Keras 2, unchanged.

In the program, ``keras`` and ``tensorflow.keras`` are symgraph's Keras (:mod:`symgraph.keras._install`). Everything
else is as if ``python`` ran it: ``sys.argv``, ``sys.path[0]``, ``__main__``, tracebacks, the exit status.
"""

from __future__ import annotations

import builtins
import importlib.util
import os
import signal
import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import NoReturn

from ._install import install

USAGE = """\
usage: python -m symgraph.keras script.py [args ...]
       python -m symgraph.keras -m module [args ...]
       python -m symgraph.keras -c command [args ...]
       python -m symgraph.keras - [args ...]          (program read from standard input)

Runs a program written for Keras 2: `keras` and `tensorflow.keras` are symgraph's Keras in it.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the program that ``arguments`` name; returns the exit status unless the program raises SystemExit."""
    if not arguments or arguments[0] in ("-h", "--help"):
        (sys.stdout if arguments else sys.stderr).write(USAGE)
        return 0 if arguments else 2
    first, rest = arguments[0], list(arguments[1:])
    if first in ("-c", "-m"):
        if not rest:
            sys.stderr.write(f"Argument expected for the {first} option\n{USAGE}")
            return 2
        return _run_command(rest[0], rest[1:]) if first == "-c" else _run_module(rest[0], rest[1:])
    if first == "-":
        return _run(sys.stdin.read(), "<stdin>", _Program(argv=["-", *rest], path=""))
    if first.startswith("-"):
        sys.stderr.write(f"Unknown option: {first}\n{USAGE}")
        return 2
    return _run_script(first, rest)


class _Program:
    """What ``python`` would set up before the first line runs."""

    def __init__(self, argv: list[str], path: str, file: str | None = None, spec: ModuleSpec | None = None) -> None:
        self.argv = argv
        self.path = path
        self.file = file
        self.spec = spec

    def enter(self) -> ModuleType:
        """Put the program's ``__main__``, ``sys.argv`` and ``sys.path[0]`` in place of our own."""
        module = ModuleType("__main__")
        module.__dict__["__builtins__"] = builtins
        module.__spec__ = self.spec
        module.__package__ = self.spec.parent if self.spec else None
        if self.file is not None:
            module.__file__ = self.file
            module.__loader__ = self.spec.loader if self.spec else SourceFileLoader("__main__", self.file)
        sys.modules["__main__"] = module
        sys.argv[:] = self.argv
        if not getattr(sys.flags, "safe_path", False):
            sys.path[0] = self.path
        install()
        return module


def _run_script(script: str, arguments: list[str]) -> int:
    try:
        source = Path(script).read_bytes()
    except OSError as error:
        full = os.path.abspath(script)
        sys.stderr.write(f"{sys.executable}: can't open file {full!r}: [Errno {error.errno}] {error.strerror}\n")
        return 2
    program = _Program(argv=[script, *arguments], path=str(Path(script).resolve().parent), file=os.path.abspath(script))
    return _run(source, os.path.abspath(script), program)


def _run_command(command: str, arguments: list[str]) -> int:
    return _run(command, "<string>", _Program(argv=["-c", *arguments], path=""))


def _run_module(name: str, arguments: list[str]) -> int:
    sys.path[0] = os.getcwd()
    install()  # the module's own package may import keras while it is being found
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(name + ".__main__")
    except ModuleNotFoundError as error:
        sys.stderr.write(f"{sys.executable}: Error while finding module specification for {name!r} ({error})\n")
        return 1
    code = spec.loader.get_code(spec.name) if spec and isinstance(spec.loader, InspectLoader) else None
    if spec is None or code is None:
        sys.stderr.write(f"{sys.executable}: No module named {name}\n")
        return 1
    origin = spec.origin or name
    return _run(code, origin, _Program(argv=[origin, *arguments], path=os.getcwd(), file=origin, spec=spec))


def _run(source: str | bytes | CodeType, filename: str, program: _Program) -> int:
    """Run ``source`` as ``__main__``; a traceback starts at the program, not here."""
    module = program.enter()
    try:
        code = source if isinstance(source, CodeType) else compile(source, filename, "exec", dont_inherit=True)
        exec(code, module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        shown = error.with_traceback(_user_part(error.__traceback__))
        sys.excepthook(type(shown), shown, shown.__traceback__)
        if isinstance(error, KeyboardInterrupt):
            _die_of_interrupt()
        return 1
    return 0


def _user_part(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    return traceback


def _die_of_interrupt() -> NoReturn:
    """End as an interrupted ``python`` does: killed by the signal, so that a calling shell stops too."""
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    raise SystemExit(128 + signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
