"""The scalar algebra on LLVM values: each intrinsic becomes the instructions that compute it.

Operands of different lane counts meet by repeating the scalar one, so uniform parts of an expression stay scalar. The
functions without an instruction of their own (exp, tanh, ...) come from :mod:`symgraph.ir.elementary`, which
writes them against this algebra. """

from __future__ import annotations

from collections.abc import Mapping
from functools import partial, reduce

from ....dtypes import DType, bool_, float16, float32, int64
from ....errors import InternalError
from ....ir.algebra import Algebra
from ....ir.dims import Atom, Dim, Symbol
from . import conversion, floating, integers
from .cpu import Cpu
from .vector import Number, Value, as_vector, constant, lanes_of, level_of, ramp, splat, type_text
from .writer import FunctionWriter

_FLOAT_COMPARE = {"eq": "oeq", "ne": "une", "lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge"}
_SIGNED_COMPARE = {"eq": "eq", "ne": "ne", "lt": "slt", "le": "sle", "gt": "sgt", "ge": "sge"}
_UNSIGNED_COMPARE = {"eq": "eq", "ne": "ne", "lt": "ult", "le": "ule", "gt": "ugt", "ge": "uge"}


class EmitAlgebra(Algebra[Value]):
    """Writes into ``w`` for ``cpu``; ``sizes`` are the values of the kernel's symbols."""

    def __init__(self, w: FunctionWriter, cpu: Cpu, sizes: Mapping[str, Value]) -> None:
        self.w = w
        self.cpu = cpu
        self.sizes = sizes

    # -- primitives of the algebra ------------------------------------------------------------------------------
    def dtype(self, x: Value) -> DType:
        return x.dtype

    def const(self, value: Number, dtype: DType) -> Value:
        return constant(value, dtype)

    def size(self, dim: Dim) -> Value:
        if isinstance(dim, int):
            return constant(dim, int64)
        total = constant(0, int64)
        for monomial, coefficient in dim.terms:
            part = constant(coefficient, int64)
            for atom in monomial:
                part = self.intrinsic("mul", part, self._atom(atom))
            total = self.intrinsic("add", total, part)
        return total

    def intrinsic(self, name: str, *args: Value) -> Value:
        dtype = args[0].dtype
        if any(a.dtype != dtype for a in args):
            raise InternalError(f"{name} got operands of dtypes " + ", ".join(str(a.dtype) for a in args))
        if dtype == int64:
            linear = self._linear(name, args)
            if linear is not None:
                return linear
        if dtype == float16 and name not in ("neg", "abs", "copysign"):
            result = self.intrinsic(name, *(self.cast(a, float32) for a in args))
            return result if result.dtype.is_bool else self.cast(result, float16)
        if name in _FLOAT_COMPARE:
            return self.compare(name, *args)
        function = _family(dtype).get(name)
        if function is not None:
            return function(self, *args)
        return self._elementary(name, args)

    def select(self, condition: Value, if_true: Value, if_false: Value) -> Value:
        if if_true is if_false:
            return if_true
        if condition.const is not None:
            return if_true if condition.const else if_false
        lanes = lanes_of((condition, if_true, if_false))
        a, b = splat(self.w, if_true, lanes), splat(self.w, if_false, lanes)
        c = condition if condition.lanes == 1 else splat(self.w, condition, lanes)
        level = level_of((a, b, c))
        text = self.w.pure(f"select {c.type} {c.text}, {a.type} {a.text}, {b.type} {b.text}", level)
        return Value(text, a.dtype, lanes, level)

    def cast(self, x: Value, dtype: DType) -> Value:
        return conversion.cast(self, x, dtype)

    def bitcast(self, x: Value, dtype: DType) -> Value:
        return conversion.bitcast(self, x, dtype)

    def bounds(self, index: Value, size: Value, axis: int) -> Value:
        raise InternalError("a kernel's bounds checks are numbered expressions of the loop IR")

    # -- building blocks ----------------------------------------------------------------------------------------
    def instruction(self, op: str, *args: Value, dtype: DType | None = None) -> Value:
        """``op type a, b, ...`` on operands of one dtype; ``dtype`` is the result's where it differs."""
        lanes = lanes_of(args)
        wide = [splat(self.w, a, lanes) for a in args]
        level = level_of(wide)
        text = self.w.pure(f"{op} {wide[0].type} " + ", ".join(a.text for a in wide), level)
        return Value(text, dtype or args[0].dtype, lanes, level)

    def convert(self, op: str, x: Value, dtype: DType) -> Value:
        """``op type x to dtype``."""
        x = as_vector(self.w, x)
        text = self.w.pure(f"{op} {x.type} {x.text} to {type_text(dtype, x.lanes)}", x.level)
        return Value(text, dtype, x.lanes, x.level)

    def call(self, name: str, *args: Value, flags: str = "") -> Value:
        """The LLVM intrinsic ``llvm.<name>`` on operands of one dtype; ``flags`` are further literal arguments."""
        lanes = lanes_of(args)
        wide = [splat(self.w, a, lanes) for a in args]
        kind = wide[0].type
        mangled = f"llvm.{name}.{mangle(args[0].dtype, lanes)}"
        extra = "".join(f", {f.split()[0]}" for f in flags.split(",") if f)
        self.w.module.declare(mangled, f"declare {kind} @{mangled}({', '.join([kind] * len(wide))}{extra})")
        operands = ", ".join(f"{kind} {a.text}" for a in wide) + (f", {flags}" if flags else "")
        level = level_of(wide)
        return Value(self.w.pure(f"call {kind} @{mangled}({operands})", level), args[0].dtype, lanes, level)

    def compare(self, name: str, a: Value, b: Value) -> Value:
        if a.dtype.is_float:
            return self.instruction(f"fcmp {_FLOAT_COMPARE[name]}", a, b, dtype=bool_)
        if isinstance(a.const, int) and isinstance(b.const, int):
            outcome = {"eq": a.const == b.const, "ne": a.const != b.const, "lt": a.const < b.const,
                       "le": a.const <= b.const, "gt": a.const > b.const, "ge": a.const >= b.const}  # fmt: skip
            return constant(outcome[name], bool_)
        table = _SIGNED_COMPARE if a.dtype.kind == "i" else _UNSIGNED_COMPARE
        return self.instruction(f"icmp {table[name]}", a, b, dtype=bool_)

    def invert(self, x: Value) -> Value:
        """Logical not of a bool."""
        return self.instruction("xor", x, constant(True, bool_))

    # -- parts --------------------------------------------------------------------------------------------------
    def _atom(self, atom: Atom) -> Value:
        if isinstance(atom, Symbol):
            if atom.name not in self.sizes:
                raise InternalError(f"size {atom.name} is not a parameter of the kernel")
            return self.sizes[atom.name]
        return reduce(partial(self.intrinsic, atom.intrinsic), [self.size(d) for d in atom.parts])

    def _elementary(self, name: str, args: tuple[Value, ...]) -> Value:
        from ....ir.elementary import EXPANSIONS

        expansion = EXPANSIONS.get(name)
        if expansion is None:
            raise InternalError(f"no code for intrinsic {name} of {args[0].dtype}")
        result: Value = expansion(self, *args)
        return result

    def _linear(self, name: str, args: tuple[Value, ...]) -> Value | None:
        """Index arithmetic: literals fold, ramps stay ramps."""
        if len(args) != 2 or name not in ("add", "sub", "mul"):
            return None
        a, b = args
        if isinstance(a.const, int) and isinstance(b.const, int):
            total = a.const + b.const if name == "add" else a.const - b.const if name == "sub" else a.const * b.const
            return constant(total, int64)
        if name == "mul" and (a.const == 0 or b.const == 0):
            return constant(0, int64)
        if b.const == (1 if name == "mul" else 0):
            return a
        if a.const == (1 if name == "mul" else 0) and name != "sub":
            return b
        if lanes_of(args) == 1:
            return None
        if name == "mul":
            wide, one = (a, b) if a.lanes > 1 else (b, a)
            if one.lanes > 1 or wide.base is None or wide.stride is None:
                return None
            return ramp(self.mul(wide.base, one), self.mul(wide.stride, one), wide.lanes)
        if any(x.lanes > 1 and x.base is None for x in args):
            return None
        zero = constant(0, int64)
        a_base, a_stride = (a, zero) if a.lanes == 1 else (a.base, a.stride)
        b_base, b_stride = (b, zero) if b.lanes == 1 else (b.base, b.stride)
        assert a_base is not None and a_stride is not None and b_base is not None and b_stride is not None
        base, stride = self.intrinsic(name, a_base, b_base), self.intrinsic(name, a_stride, b_stride)
        return ramp(base, stride, lanes_of(args))


def _family(dtype: DType) -> dict[str, floating.Intrinsic]:
    if dtype.is_float:
        return floating.INTRINSICS
    return integers.BOOLEAN if dtype.is_bool else integers.INTRINSICS


def mangle(dtype: DType, lanes: int) -> str:
    """The type as LLVM intrinsic names spell it (``v16f32``)."""
    scalar = f"f{dtype.bits}" if dtype.is_float else "i1" if dtype.is_bool else f"i{dtype.bits}"
    return scalar if lanes == 1 else f"v{lanes}{scalar}"


__all__ = ["EmitAlgebra", "mangle"]
