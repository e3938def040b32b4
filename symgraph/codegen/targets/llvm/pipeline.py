"""From LLVM text to object code."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ....errors import InternalError
from .cpu import Cpu, binding, target_machine
from .forking import llvm_lock


class Compiler:
    """Makes object code for one processor. LLVM works for one caller at a time, and so does this."""

    def __init__(self, cpu: Cpu) -> None:
        self.cpu = cpu
        with llvm_lock:
            self._machine = target_machine(cpu)

    def object_code(self, text: str, optimize: bool = True) -> bytes:
        """The object file for a module in LLVM's text form.

        Raises:
            InternalError: where LLVM does not take the text.
        """
        with llvm_lock:
            return self._emitted(text, optimize)

    def assembly(self, text: str) -> str:
        """The assembly text of a module, for people."""
        with llvm_lock:
            return self._assembled(text)

    # All that LLVM made, contexts too, is given back inside of the functions below, and so while the lock is held.

    def _emitted(self, text: str, optimize: bool) -> bytes:
        with self._parsed(text) as module:
            if optimize:
                self._optimize(module)
            return bytes(self._machine.emit_object(module))

    def _assembled(self, text: str) -> str:
        with self._parsed(text) as module:
            self._optimize(module)
            return str(self._machine.emit_assembly(module))

    def _parsed(self, text: str) -> Any:
        llvm = binding()
        try:
            return llvm.parse_assembly(text, llvm.create_context())
        except RuntimeError as error:
            raise InternalError(f"LLVM refused generated code: {error}") from error

    def _optimize(self, module: Any) -> None:
        """What the writer has not done already: it writes loop-invariant and repeated code once, so a clean-up is
        enough."""
        llvm = binding()
        builder = llvm.create_pass_builder(self._machine, llvm.create_pipeline_tuning_options(speed_level=1))
        passes = llvm.create_new_module_pass_manager()
        passes.add_instruction_combine_pass()
        passes.add_simplify_cfg_pass()
        passes.run(module, builder)


@lru_cache(maxsize=8)
def compiler_for(cpu: Cpu) -> Compiler:
    """The compiler for a processor (one per process and processor)."""
    return Compiler(cpu)
