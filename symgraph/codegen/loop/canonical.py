"""Canonical kernels: equal computations get equal text, and the hash of the text is their key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from .grammar import Contract, Fold, Kernel, Let, Load, Sort, Stmt
from .text import print_interned
from .walk import Rebuilder, inner_roots, loop_vars, postorder, roots_of, sizes_of, statements, target_of


@dataclass(frozen=True, slots=True)
class Canonical:
    """A kernel whose parts are numbered by first use, and how a caller of the original calls it.

    ``buffers`` are the original's buffer names in the order of the canonical kernel's parameters, ``sizes`` likewise;
    parameters that the original does not use are gone. ``text`` is the canonical kernel's.
    """

    key: str
    kernel: Kernel
    text: str
    buffers: tuple[str, ...]
    sizes: tuple[str, ...]


def canonicalize(kernel: Kernel) -> Canonical:
    """Rename buffers, sizes, variables and locals by first use, and name the kernel ``<stem>_<key>``.

    The stem, what the given name has before its first underscore, is for readers only: it does not enter the key.
    """
    buffers = _used_buffers(kernel)
    by_name = {b.name: b for b in kernel.buffers}
    ordered = replace(kernel, buffers=tuple(by_name[n] for n in buffers))
    sizes = sizes_of(ordered)
    numbered = {name: f"b{i}" for i, name in enumerate(buffers)}
    rebuild = Rebuilder(numbered, _locals(kernel.body), {s: f"n{i}" for i, s in enumerate(sizes)})
    plain = Kernel(
        "kernel", tuple(rebuild.buffer(b) for b in ordered.buffers), tuple(f"n{i}" for i in range(len(sizes))),
        rebuild.body(kernel.body), kernel.checks,
    )  # fmt: skip
    text = print_interned(plain)
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    name = f"{kernel.name.partition('_')[0]}_{key[:8]}"
    text = text.replace("kernel kernel(", f"kernel {name}(", 1)
    return Canonical(key, replace(plain, name=name), text, buffers, sizes)


def _used_buffers(kernel: Kernel) -> tuple[str, ...]:
    """Buffers in order of first use, operands of a statement before its target."""
    seen: dict[str, None] = {}
    for stmt in statements(kernel.body):
        for e in postorder((*roots_of(stmt), *inner_roots(stmt))):
            if isinstance(e, Load):
                seen[e.buffer] = None
        if isinstance(stmt, Sort):
            seen[stmt.keys] = None
        if target_of(stmt):
            seen[target_of(stmt)] = None
    return tuple(seen)


def _locals(body: tuple[Stmt, ...]) -> dict[str, str]:
    """New names of loop variables (``i0``...) and other locals (``v0``...), in order of binding."""
    names: dict[str, str] = {}
    loops = values = 0
    for stmt in statements(body):
        for var, _ in loop_vars(stmt):
            if var not in names:
                names[var], loops = f"i{loops}", loops + 1
        bound = stmt.names if isinstance(stmt, Fold) else (stmt.name,) if isinstance(stmt, Let) else ()
        for name in (stmt.acc,) if isinstance(stmt, Contract) else bound:
            if name not in names:
                names[name], values = f"v{values}", values + 1
    return names
