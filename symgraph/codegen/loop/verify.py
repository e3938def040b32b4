"""Named invariants of kernels. Every pass that makes kernels may ask for them; tests always do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ...dtypes import bool_, int64
from ...errors import InternalError
from ...ir.algebra import BINARY, COMPARE, TEST, UNARY
from ...ir.dims import product, symbols
from .conflicts import find_conflicts
from .grammar import (
    Bitcast,
    Bounds,
    Call,
    Cast,
    Contract,
    Expr,
    Fold,
    Kernel,
    Let,
    Load,
    Loop,
    Select,
    Sort,
    Stmt,
    Store,
    Var,
)  # fmt: skip
from .text import print_kernel
from .walk import (
    dims_of,
    expressions,
    interned,
    is_using,
    linear,
    loop_vars,
    postorder,
    roots_of,
    statements,
    target_of,
)  # fmt: skip

#: What an invariant found wrong, one message each.
Faults = Iterator[str]
_ARITY = dict.fromkeys((*UNARY, *TEST), 1) | dict.fromkeys((*BINARY, *COMPARE, "mulhi"), 2) | {"fma": 3}


def verify(kernel: Kernel, scatters: bool = False) -> None:
    """Check every invariant. Kernels of ``scatters`` may write an element again, in order.

    Raises:
        InternalError: naming the first invariant that does not hold, with the kernel's text.
    """
    kernel = interned(kernel)
    for name, check in INVARIANTS.items():
        for fault in find_conflicts(kernel, scatters) if check is find_conflicts else check(kernel):
            raise InternalError(f"kernel {kernel.name} breaks the invariant {name!r}: {fault}\n{_text(kernel)}")


def _text(kernel: Kernel) -> str:
    try:
        return print_kernel(kernel)
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        return f"(which does not even print: {error})"


def _names_distinct(kernel: Kernel) -> Faults:
    """Parameters have distinct names; no name is bound inside the scope of another one of that name."""
    for what, names in (("buffer", [b.name for b in kernel.buffers]), ("size", list(kernel.sizes))):
        for name in {n for n in names if names.count(n) > 1}:
            yield f"{what} {name} is declared twice"
    yield from _shadowing(kernel.body, set(kernel.sizes) | {b.name for b in kernel.buffers})


def _shadowing(body: tuple[Stmt, ...], outer: set[str]) -> Faults:
    visible = set(outer)

    def enter(names: tuple[str, ...]) -> Faults:
        for name in names:
            if name in visible:
                yield f"{name} is bound inside the scope of another {name}"
            visible.add(name)

    for stmt in body:
        if isinstance(stmt, Let):
            yield from enter((stmt.name,))
            continue
        before = set(visible)
        variables = tuple(v for v, _ in loop_vars(stmt))
        if isinstance(stmt, Loop):
            yield from enter(variables)
            yield from _shadowing(stmt.body, visible)
            visible = before
        elif isinstance(stmt, Fold):
            yield from enter((*variables, *stmt.names))
            yield from _shadowing(stmt.body, visible)
            visible = before | set(stmt.names)
        elif isinstance(stmt, Contract):
            yield from enter((*variables, stmt.acc))
            yield from _shadowing(stmt.epilogue, visible)
            visible = before


def _names_bound(kernel: Kernel) -> Faults:
    """Every variable is used where it is bound, with the dtype it is bound with; buffers and sizes are parameters."""
    declared = {b.name for b in kernel.buffers}
    for dim in dims_of(kernel):
        for symbol in symbols([dim]):
            if symbol.name not in kernel.sizes:
                yield f"size {symbol} is not a parameter"
    for stmt in statements(kernel.body):
        if target_of(stmt) and target_of(stmt) not in declared:
            yield f"{target_of(stmt)} is stored to and is not a parameter"
        if isinstance(stmt, Sort) and stmt.keys not in declared:
            yield f"{stmt.keys} is sorted and is not a parameter"
    for e in expressions(kernel.body):
        if isinstance(e, Load) and e.buffer not in declared:
            yield f"{e.buffer} is loaded and is not a parameter"
    yield from _unbound(kernel.body, {})


def _unbound(body: tuple[Stmt, ...], outer: dict[str, object]) -> Faults:
    bound = dict(outer)

    def check(roots: tuple[Expr, ...], names: dict[str, object]) -> Faults:
        for e in postorder(roots):
            if isinstance(e, Var) and names.get(e.name) is not e.dtype:
                yield f"{e.name} ({e.dtype}) is not bound here" if e.name not in names else f"{e.name} is no {e.dtype}"

    for stmt in body:
        yield from check(roots_of(stmt), bound)
        inside = bound | {v: int64 for v, _ in loop_vars(stmt)}
        if isinstance(stmt, Let):
            bound[stmt.name] = stmt.value.dtype
        elif isinstance(stmt, Loop):
            yield from _unbound(stmt.body, inside)
        elif isinstance(stmt, Fold):
            states = dict(zip(stmt.names, stmt.dtypes, strict=False))
            inside |= states
            yield from _unbound(stmt.body, inside)
            lets = {s.name: s.value.dtype for s in stmt.body if isinstance(s, Let)}
            for inner in stmt.body:
                if isinstance(inner, Fold):
                    lets |= zip(inner.names, inner.dtypes, strict=False)
            yield from check(stmt.next, inside | lets)
            yield from check(stmt.merge, bound | {f"{n}.{side}": d for n, d in states.items() for side in "ab"})
            bound |= states
        elif isinstance(stmt, Contract):
            yield from check((stmt.a, stmt.b), inside)
            inner_vars = {stmt.k_var, *(v for v, _ in stmt.k_parts)}
            outer_vars = {v: int64 for v, _ in loop_vars(stmt) if v not in inner_vars}
            yield from _unbound(stmt.epilogue, bound | outer_vars | {stmt.acc: stmt.dtype})


def _index_rank(kernel: Kernel) -> Faults:
    """Elements are indexed by as many int64 values as their buffer has axes."""
    ranks = {b.name: len(b.shape) for b in kernel.buffers}
    elements: list[Store | Load] = [s for s in statements(kernel.body) if isinstance(s, Store)]
    elements += [e for e in expressions(kernel.body) if isinstance(e, Load)]
    for e in elements:
        if len(e.index) != ranks[e.buffer]:
            yield f"{e.buffer} has {ranks[e.buffer]} axes and is indexed by {len(e.index)}"
        if any(i.dtype is not int64 for i in e.index):
            yield f"{e.buffer} is indexed by " + ", ".join(str(i.dtype) for i in e.index)


def _dtypes_agree(kernel: Kernel) -> Faults:
    """Operands and results have the dtypes that the algebra's intrinsics and the statements ask for."""
    dtypes = {b.name: b.dtype for b in kernel.buffers}
    for e in expressions(kernel.body):
        yield from (f"{e}: {fault}" for fault in _dtype_faults(e, dtypes))
    for stmt in statements(kernel.body):
        if isinstance(stmt, Store) and stmt.value.dtype is not dtypes[stmt.buffer]:
            yield f"a {stmt.value.dtype} is stored to {stmt.buffer}, a {dtypes[stmt.buffer]}"
        if isinstance(stmt, Contract):
            if stmt.a.dtype is not stmt.b.dtype:
                yield f"contract of {stmt.a.dtype} and {stmt.b.dtype}"
            if stmt.dtype.kind != stmt.a.dtype.kind or stmt.dtype.itemsize < stmt.a.dtype.itemsize:
                yield f"contract of {stmt.a.dtype} summed in {stmt.dtype}"


def _dtype_faults(e: Expr, dtypes: Mapping[str, object]) -> Faults:
    if isinstance(e, Load) and e.dtype is not dtypes[e.buffer]:
        yield f"{e.buffer} holds {dtypes[e.buffer]}"
    elif isinstance(e, Select) and (e.condition.dtype is not bool_ or e.if_true.dtype is not e.if_false.dtype):
        yield f"select({e.condition.dtype}, {e.if_true.dtype}, {e.if_false.dtype})"
    elif isinstance(e, Bitcast) and e.value.dtype.itemsize != e.dtype.itemsize:
        yield f"bitcast from {e.value.dtype} to {e.dtype}"
    elif isinstance(e, Cast) and e.value.dtype is e.dtype:
        yield f"cast from {e.dtype} to itself"
    elif isinstance(e, Bounds) and (e.index.dtype is not int64 or e.size.dtype is not int64):
        yield f"bounds({e.index.dtype}, {e.size.dtype})"
    elif isinstance(e, Call):
        if _ARITY.get(e.name) != len(e.args):
            yield f"{e.name} of {len(e.args)} operands"
        elif any(a.dtype is not e.args[0].dtype for a in e.args):
            yield f"{e.name} of " + ", ".join(str(a.dtype) for a in e.args)
        elif e.dtype is not (bool_ if e.name in COMPARE or e.name in TEST else e.args[0].dtype):
            yield f"{e.name} of {e.args[0].dtype} gives {e.dtype}"


def _nesting(kernel: Kernel) -> Faults:
    """``par`` loops, contracts and sorts are the whole body; ``vec`` loops hold no loop; folds hold no loop, and
    store only in order.
    """
    for stmt in statements(kernel.body):
        outermost = len(kernel.body) == 1 and stmt is kernel.body[0]
        if isinstance(stmt, Loop) and stmt.kind not in ("par", "vec", "seq"):
            yield f"a loop is {stmt.kind}"
        if isinstance(stmt, Fold) and stmt.kind not in ("vec", "seq"):
            yield f"a fold is {stmt.kind}"
        if not outermost and (isinstance(stmt, (Contract, Sort)) or (isinstance(stmt, Loop) and stmt.kind == "par")):
            yield "a par loop, a contract or a sort is not the whole body"
        inner = list(statements(stmt.body)) if isinstance(stmt, (Loop, Fold)) else []
        if isinstance(stmt, Loop) and stmt.kind == "vec" and any(isinstance(s, Loop) for s in inner):
            yield f"vec loop {stmt.var} holds a loop"
        if isinstance(stmt, Fold) and any(isinstance(s, Loop) for s in inner):
            yield f"fold over {stmt.var} holds a loop"
        if isinstance(stmt, Fold) and stmt.kind == "vec" and any(isinstance(s, Store) for s in inner):
            yield f"vec fold over {stmt.var} stores"


def _modes(kernel: Kernel) -> Faults:
    """``in`` buffers are not stored to, ``out`` ones are, and are not loaded."""
    stored = {target_of(s) for s in statements(kernel.body)}
    loaded = {s.keys for s in statements(kernel.body) if isinstance(s, Sort)}
    loaded |= {e.buffer for e in expressions(kernel.body) if isinstance(e, Load)}
    for b in kernel.buffers:
        if b.mode not in ("in", "out", "inout"):
            yield f"{b.name} has mode {b.mode}"
        if (b.name in stored) != (b.mode != "in"):
            yield f"{b.name} has mode {b.mode} and is {'' if b.name in stored else 'not '}stored to"
        if b.name in loaded and b.mode == "out":
            yield f"{b.name} has mode out and is loaded"


def _fold_states(kernel: Kernel) -> Faults:
    """A fold gives every state its dtype, first value, next value and (if ``vec``) merge, all of that dtype."""
    for stmt in statements(kernel.body):
        if not isinstance(stmt, Fold):
            continue
        count = len(stmt.names)
        arities = [len(stmt.dtypes), len(stmt.init), len(stmt.next)]
        if count == 0 or any(a != count for a in arities):
            yield f"fold over {stmt.var} has {count} names and {arities} dtypes, first and next values"
        elif len(stmt.merge) != count and (stmt.kind == "vec" or stmt.merge):
            yield f"fold over {stmt.var} has {count} names and {len(stmt.merge)} merges"
        for values in (stmt.init, stmt.next, stmt.merge):
            for name, dtype, value in zip(stmt.names, stmt.dtypes, values, strict=False):
                if value.dtype is not dtype:
                    yield f"fold state {name} is {dtype} and becomes {value.dtype}"


def _contract_affine(kernel: Kernel) -> Faults:
    """A contract's operands are affine loads without the other's variable; its epilogue is lets and stores."""
    for c in statements(kernel.body):
        if not isinstance(c, Contract):
            continue
        if len(c.batch_vars) != len(c.batch_extents):
            yield f"{len(c.batch_vars)} batch variables have {len(c.batch_extents)} extents"
        for total, parts in ((c.m, c.m_parts), (c.k, c.k_parts)):
            if parts and product(d for _, d in parts) != total:
                yield f"{total} is not the product of " + ", ".join(str(d) for _, d in parts)
        for load, foreign in ((c.a, {c.n_var}), (c.b, {c.m_var, *(v for v, _ in c.m_parts)})):
            if is_using(load, foreign):
                yield f"the operand {load.buffer} depends on {min(foreign)}"
            if any(linear(i) is None for i in load.index):
                yield f"the operand {load.buffer} has an index that is not affine"
        if any(not isinstance(s, (Let, Store)) for s in c.epilogue):
            yield "the epilogue has more than lets and stores"


def _sorts(kernel: Kernel) -> Faults:
    """A sort gives int64 positions of rows of unsigned numbers; both buffers have the same rows."""
    buffers = {b.name: b for b in kernel.buffers}
    for stmt in statements(kernel.body):
        if isinstance(stmt, Sort):
            target, keys = buffers[stmt.target], buffers[stmt.keys]
            if not target.shape or target.shape[:-1] != keys.shape[:-1] or len(target.shape) != len(keys.shape):
                yield f"{stmt.target} and {stmt.keys} have different rows"
            if target.dtype is not int64 or keys.dtype.kind != "u":
                yield f"a sort of {keys.dtype} to {target.dtype}"


def _checks_numbered(kernel: Kernel) -> Faults:
    """Bounds checks are numbered below ``checks``, each number once."""
    seen: set[int] = set()
    numbers = [e.check for e in expressions(kernel.body) if isinstance(e, Bounds)]
    numbers += [s.check for s in statements(kernel.body) if isinstance(s, Sort)]
    for number in numbers:
        if not 0 <= number < kernel.checks:
            yield f"check {number} of {kernel.checks}"
        if number in seen:
            yield f"check {number} stands for two different checks"
        seen.add(number)


INVARIANTS: dict[str, Callable[[Kernel], Faults]] = {
    "names are distinct": _names_distinct,
    "names are bound": _names_bound,
    "index rank": _index_rank,
    "dtypes agree": _dtypes_agree,
    "nesting": _nesting,
    "modes": _modes,
    "fold states": _fold_states,
    "contract is affine": _contract_affine,
    "sorts fit": _sorts,
    "checks are numbered": _checks_numbered,
    "no conflicts": find_conflicts,
}
