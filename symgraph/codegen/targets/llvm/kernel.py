"""From a loop-IR kernel to object code: the functions of its phases, and how their units are cut."""

from __future__ import annotations

from collections.abc import Sequence

from ....dtypes import int64
from ....ir.dims import Dim, floordiv, product
from ...loop.grammar import Call, Const, Contract, Fold, Kernel, Let, Loop, Size, Sort, Stmt, Var
from ...loop.walk import body_of, statements, target_of
from .access import Memory
from .cache import kernel_key
from .compiled import CompiledKernel, Phase, symbol_of
from .contract import emit_contract
from .contract_plan import plan_contract
from .cpu import Cpu, function_attributes
from .emit import EmitAlgebra
from .expression import ExpressionWriter
from .pipeline import compiler_for
from .ranges import cost
from .sorting import sort_text
from .statement import StatementWriter
from .vector import Value
from .writer import FunctionWriter, Module

#: Cost (in evaluated expression nodes, about) that is worth handing to another thread.
TASK_COST = 1 << 18

def compile_kernel(kernel: Kernel, cpu: Cpu, key: str = "") -> CompiledKernel:
    """Object code for a kernel; ``key`` is its :func:`.cache.kernel_key` where that is known already."""
    key = key or kernel_key(kernel, cpu)
    text, phases, workspace = kernel_text(kernel, cpu, symbol_of(key))
    code = compiler_for(cpu).object_code(text)
    return CompiledKernel(key, code, phases, kernel.sizes, workspace, text)


def kernel_text(kernel: Kernel, cpu: Cpu, symbol: str) -> tuple[str, tuple[Phase, ...], Dim]:
    """The LLVM text of a kernel, its phases, and the bytes of workspace they share."""
    module = Module(cpu.triple, function_attributes(cpu))
    planned = plan_contract(kernel.parallel, kernel, cpu) if isinstance(kernel.parallel, Contract) else None
    if planned is not None:
        phases, workspace = emit_contract(module, symbol, planned, cpu, lambda w: _begin(w, kernel, cpu), _header)
        return module.text(), phases, workspace
    if isinstance(kernel.parallel, Sort):
        return sort_text(module, kernel.parallel, kernel, _header(symbol), lambda w: _begin(w, kernel, cpu), symbol)
    body = tuple(_plain_contraction(t) if isinstance(t, Contract) else t for t in kernel.body)
    units: Dim = 1
    grain: Dim = 1
    w = FunctionWriter(module)
    writer = _begin(w, kernel, cpu)
    if len(body) == 1 and isinstance(body[0], Loop) and body[0].kind == "par":
        loop = body[0]
        units, grain = loop.extent, _grain(loop, cpu)
        lo, hi = Value("%lo", int64), Value("%hi", int64)
        if _is_flat(loop):
            writer.vector_loop(loop, lo, hi)
        else:
            writer.scalar_loop(loop, lo, hi)
    else:
        writer.block(body)
    module.declare(symbol, w.finish(_header(symbol)))
    return module.text(), (Phase(symbol, units, grain),), 0


def _begin(w: FunctionWriter, kernel: Kernel, cpu: Cpu) -> StatementWriter:
    """Start a phase's function."""
    _unpack(w, kernel)
    return _open(w, kernel, cpu)


def _open(w: FunctionWriter, kernel: Kernel, cpu: Cpu) -> StatementWriter:
    sizes = {name: Value(f"%size{i}", int64) for i, name in enumerate(kernel.sizes)}
    written = {target_of(t) for t in statements(kernel.body)}
    buffers = {b.name: Memory(f"%buf{i}", b.dtype, b.shape, b.name in written) for i, b in enumerate(kernel.buffers)}
    return StatementWriter(ExpressionWriter(EmitAlgebra(w, cpu, sizes), buffers))


def _header(symbol: str) -> str:
    parameters = "ptr noalias %buffers, ptr noalias %sizes, i64 %lo, i64 %hi, ptr %status, ptr %workspace"
    return f"define void @{symbol}({parameters}) #0"


def _unpack(w: FunctionWriter, kernel: Kernel) -> None:
    """Read the pointers and sizes out of the calling convention's arrays."""
    for i in range(len(kernel.buffers)):
        w.effect(f"%bp{i} = getelementptr inbounds ptr, ptr %buffers, i64 {i}")
        w.effect(f"%buf{i} = load ptr, ptr %bp{i}, align 8, !invariant.load !0")
    for i in range(len(kernel.sizes)):
        w.effect(f"%sp{i} = getelementptr inbounds i64, ptr %sizes, i64 {i}")
        w.effect(f"%size{i} = load i64, ptr %sp{i}, align 8, !invariant.load !0")


def _is_flat(loop: Loop) -> bool:
    """Whether a parallel loop's own iterations should run in lanes: nothing inside it does."""
    return not any(isinstance(t, Loop) or (isinstance(t, Fold) and t.kind == "vec") for t in statements(loop.body))


def _grain(loop: Loop, cpu: Cpu) -> Dim:
    """Iterations of a parallel loop that make a task worth its hand-over; whole cache lines where they are elements."""
    each = _total_cost(loop.body)
    if isinstance(each, int):
        grain = max(1, TASK_COST // max(1, each))
    else:
        return floordiv(TASK_COST, each + 1) + 1
    return -(-grain // 256) * 256 if _is_flat(loop) else grain


def _total_cost(stmts: tuple[Stmt, ...]) -> Dim:
    """Cost of running some statements, loops counted by their extents."""
    total: Dim = 0
    plain: list[Stmt] = []
    for stmt in stmts:
        inner = body_of(stmt)
        if isinstance(stmt, (Loop, Fold)):
            own = cost((stmt,)) if not any(isinstance(t, (Loop, Fold)) for t in inner) else _total_cost(inner) + 1
            total = total + own * stmt.extent
        else:
            plain.append(stmt)
    return total + cost(plain) if plain else total


# -- contractions without a schedule ----------------------------------------------------------------------------


def _plain_contraction(c: Contract) -> Loop:
    """A contraction as loops: rows in parallel, columns in lanes, the sum in order."""
    row = Var("row")
    names: list[Stmt] = []
    rest: Dim = c.m
    names.append(Let(c.m_var, Call("mod", (row, Size(c.m)), int64)))
    names += _digits(Var(c.m_var), c.m_parts)
    for name, extent in zip(reversed(c.batch_vars), reversed(c.batch_extents), strict=True):
        outer = Call("floordiv", (row, Size(rest)), int64)
        names.append(Let(name, Call("mod", (outer, Size(extent)), int64)))
        rest = rest * extent
    total = Var(c.acc, c.dtype)
    following = Call("fma", (c.a, c.b, total), c.dtype)
    places = tuple(_digits(Var(c.k_var), c.k_parts))
    summed = Fold(c.k_var, c.k, "seq", (c.acc,), (c.dtype,), (Const(0, c.dtype),), places, (following,), ())
    columns = Loop(c.n_var, c.n, "vec", (summed, *c.epilogue))
    return Loop("row", product((*c.batch_extents, c.m)), "par", (*names, columns))


def _digits(number: Var, parts: Sequence[tuple[str, Dim]]) -> list[Stmt]:
    """The variables of a row (or position) that is made of several, the last one running fastest."""
    out: list[Stmt] = []
    rest: Dim = 1
    for name, extent in reversed(parts):
        outer = Call("floordiv", (number, Size(rest)), int64)
        out.append(Let(name, Call("mod", (outer, Size(extent)), int64)))
        rest = rest * extent
    return out
