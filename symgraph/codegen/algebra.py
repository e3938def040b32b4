"""The scalar algebra that builds loop-IR expressions: what lowering evaluates ``element``, ``scalar``, ``step`` ...
with.

Inside one :class:`LoopAlgebra` equal expressions are one object. int64 arithmetic is kept as affine forms of loop
variables and sizes, so the index arithmetic of chains of views collapses: ``(i*10 + j) // 10`` is ``i`` where ``j``
runs over ``0..10``. Every simplification is exact: no float operation is reordered, and integers wrap as before.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..dtypes import DType, bool_, int64
from ..errors import InternalError
from ..ir.algebra import COMPARE, TEST, Algebra
from ..ir.dims import Dim, divide_exact
from ..ir.numpy_algebra import NumpyAlgebra
from .affine import Affine, Ranges, affine, divide, is_positive, range_of_quotient
from .loop.grammar import Bitcast, Bounds, Buffer, Call, Cast, Const, Expr, Load, Select, Size, Var
from .loop.intern import Interner

#: Intrinsics whose result is the same bits on every machine, so that constants fold.
_EXACT = frozenset([
    "neg", "abs", "sign", "floor", "ceil", "trunc", "rint", "sqrt", "bit_not", "add", "sub", "mul", "div", "minimum",
    "maximum", "copysign", "bit_and", "bit_or", "bit_xor", "shl", "shr", "mulhi", *COMPARE, *TEST,
])  # fmt: skip
_TO_BOOL = frozenset(COMPARE) | frozenset(TEST)


class LoopAlgebra(Algebra[Expr]):
    """Builds the expressions of one kernel.

    ``checks`` lists, by number, the ``(site, axis)`` of every bounds check made; ``site`` is what the lowering says
    it evaluates now.
    """

    def __init__(self) -> None:
        self.site: object = None
        self.checks: list[tuple[object, int]] = []
        self.ranges = Ranges()
        self._make = Interner()
        self._forms: dict[Expr, Affine] = {}  # int64 expressions that are sums
        # What cannot be divided further: is it the quotient (or the remainder), the operand, the divisor.
        self._divisions: dict[Expr, tuple[bool, Expr, Dim]] = {}
        self._order: dict[Expr, int] = {}  # atoms by age, the order of a printed sum
        self._numbers: dict[str, int] = {}
        self._bounds: dict[tuple[Expr, Expr], Expr] = {}
        self._fold = NumpyAlgebra()

    # -- names --------------------------------------------------------------------------------------------------
    def fresh(self, hint: str = "v") -> str:
        """A name that this kernel does not have yet: ``hint``, ``hint1``, ``hint2`` ..."""
        number = self._numbers.get(hint, 0)
        self._numbers[hint] = number + 1
        return f"{hint}{number}" if number else hint

    def loop_var(self, name: str, extent: Dim) -> Expr:
        """The variable of a loop over ``0..extent``."""
        variable = self._make.var(name)
        self.ranges.declare_loop(variable, extent)
        return variable

    def bind(self, name: str, value: Expr) -> Expr:
        """The variable that ``Let(name, value)`` binds; an index keeps its range. Constants and variables stay
        themselves.
        """
        if isinstance(value, (Const, Var)):
            return value
        variable = self._make.var(name, value.dtype)
        if value.dtype is int64:
            known = self.ranges.of(self._form(value))
            if known is not None:
                self.ranges.declare(variable, *known)
        return variable

    def var(self, name: str, dtype: DType) -> Expr:
        """A name bound by ``Fold`` or ``Contract``."""
        return self._make.var(name, dtype)

    # -- leaves -------------------------------------------------------------------------------------------------
    def dtype(self, x: Expr) -> DType:
        return x.dtype

    def const(self, value: bool | int | float, dtype: DType) -> Expr:
        return self._make.const(value, dtype)

    def size(self, dim: Dim) -> Expr:
        if isinstance(dim, int):
            return self.index(dim)
        expr = self._make.size(dim)
        self._forms[expr] = Affine((), dim)
        return expr

    def load(self, buffer: Buffer, index: Sequence[Expr]) -> Expr:
        """An element of ``buffer``; along an axis of size 1 the index is 0."""
        zero = self.index(0)
        at = [zero if size == 1 else i for i, size in zip(index, buffer.shape, strict=True)]
        return self._make.load(buffer.name, at, buffer.dtype)

    # -- arithmetic ---------------------------------------------------------------------------------------------
    def intrinsic(self, name: str, *args: Expr) -> Expr:
        first = args[0].dtype
        if any(a.dtype is not first for a in args):
            raise InternalError(f"{name} got operands of dtypes " + ", ".join(str(a.dtype) for a in args))
        if name in _EXACT and all(isinstance(a, Const) for a in args):
            return self._folded(name, args)
        if first is int64:
            simple = self._integer(name, args)
        else:
            simple = self._identity(name, args)
        if simple is not None:
            return simple
        return self._make.call(name, args, bool_ if name in _TO_BOOL else first)

    def _folded(self, name: str, args: Sequence[Expr]) -> Expr:
        arrays = [self._fold.const(a.value, a.dtype) for a in args if isinstance(a, Const)]
        result = self._fold.intrinsic(name, *arrays)
        return self.const(result.item(), bool_ if name in _TO_BOOL else args[0].dtype)

    def _identity(self, name: str, args: Sequence[Expr]) -> Expr | None:
        """The operand itself where the operation keeps every bit of it."""
        x, y = args[0], args[-1]
        if name == "neg" and isinstance(x, Call) and x.name == "neg" and x.dtype.is_float:
            return x.args[0]
        if len(args) != 2:
            return None
        if name in ("minimum", "maximum", "bit_and", "bit_or") and x is y:
            return x
        for this, that, swapped in ((x, y, False), (y, x, True)):
            if isinstance(this, Const):
                kept = self._with_constant(name, this, that, first=not swapped)
                if kept is not None:
                    return kept
        return None

    def _with_constant(self, name: str, constant: Const, other: Expr, first: bool) -> Expr | None:
        value, dtype = constant.value, constant.dtype
        if value == 1 and (name == "mul" or (name == "div" and not first)) and not dtype.is_bool:
            return other
        if value == 0 and not dtype.is_bool:
            is_minus_zero = dtype.is_float and str(value) == "-0.0"
            if name == "add" and (is_minus_zero or dtype.is_integer):  # x + 0.0 changes -0.0
                return other
            if name == "sub" and not first and not is_minus_zero:
                return other
            if dtype.is_integer and name in ("bit_or", "bit_xor"):
                return other
            if dtype.is_integer and name in ("shl", "shr") and not first:
                return other
        if dtype.is_bool and name in ("bit_and", "bit_or", "bit_xor"):
            neutral = name == "bit_and"
            if bool(value) == neutral:
                return other
            return None if name == "bit_xor" else constant
        return None

    # -- int64: affine forms ------------------------------------------------------------------------------------
    def _form(self, x: Expr) -> Affine:
        if isinstance(x, Const):
            return Affine((), int(x.value))
        form = self._forms.get(x)
        if form is None:
            self._order.setdefault(x, len(self._order))
            form = Affine(((x, 1),), 0)
        return form

    def _expr(self, form: Affine) -> Expr:
        """The expression of a form: terms by the age of their atoms, the constant last."""
        form = self._recombined(self._without_fixed(form))
        out: Expr | None = None
        for atom, coefficient in sorted(form.terms, key=lambda t: self._order[t[0]]):
            minus = coefficient == -1 and out is not None
            term = atom if minus or coefficient == 1 else self._make.call("mul", (atom, self.size(coefficient)), int64)
            out = term if out is None else self._make.call("sub" if minus else "add", (out, term), int64)
        if out is None:
            return self.size(form.constant)
        if form.constant != 0:
            out = self._make.call("add", (out, self.size(form.constant)), int64)
        if len(form.terms) > 1 or form.constant != 0 or form.terms[0][1] != 1:
            self._forms[out] = form
        return out

    def _without_fixed(self, form: Affine) -> Affine:
        """Atoms that can take one value only (variables of loops of one iteration) become that value."""
        constant = form.constant
        kept = []
        for atom, coefficient in form.terms:
            known = self.ranges.of_atom(atom)
            if known is not None and known[0] == known[1]:
                constant = constant + coefficient * known[0]
            else:
                kept.append((atom, coefficient))
        if isinstance(constant, int):
            constant = int(self._make.const(constant, int64).value)
        return form if len(kept) == len(form.terms) and constant == form.constant else affine(kept, constant)

    def _recombined(self, form: Affine) -> Affine:
        """``(x // d)*d*c + (x mod d)*c`` becomes ``x*c``."""
        for atom, coefficient in form.terms:
            division = self._divisions.get(atom)
            if division is None or division[0]:
                continue
            _, operand, by = division
            for other, scaled in form.terms:
                match = self._divisions.get(other)
                if match is not None and match[0] and match[1:] == (operand, by) and scaled == coefficient * by:
                    kept = affine(((a, c) for a, c in form.terms if a is not atom and a is not other), form.constant)
                    return self._recombined(kept.plus(self._form(operand).scaled(coefficient)))
        return form

    def _integer(self, name: str, args: Sequence[Expr]) -> Expr | None:
        forms = [self._form(a) for a in args]
        if name == "neg":
            return self._expr(forms[0].scaled(-1))
        if name in ("add", "sub"):
            return self._expr(forms[0].plus(forms[1], 1 if name == "add" else -1))
        if name == "mul":
            for this, that in (forms, forms[::-1]):
                if not that.terms:
                    return self._expr(this.scaled(that.constant))
        if name in ("floordiv", "mod"):
            return self._division(name == "floordiv", args[0], forms[0], forms[1])
        if name in ("minimum", "maximum"):
            return self._extreme(name, args, forms)
        if name in COMPARE:
            return self._comparison(name, forms[0].plus(forms[1], -1))
        return self._identity(name, args)

    def _division(self, quotient: bool, operand: Expr, form: Affine, by: Affine) -> Expr | None:
        size = by.constant
        if by.terms or not is_positive(size) or not self.ranges.are_known(form):
            return None
        split = divide(form, size, self.ranges)
        rest = self._expr(split.rest)
        if quotient:
            return self._expr(split.whole.plus(self._form(self._opaque(True, rest, split.divisor))))
        remainder = self._form(self._opaque(False, rest, split.divisor)).scaled(split.scale)
        return self._expr(remainder.plus(split.low))

    def _opaque(self, quotient: bool, operand: Expr, by: Dim) -> Expr:
        """``operand // by`` or ``operand mod by`` where no more can be proved of the sum itself."""
        if by == 1:
            return operand if quotient else self.index(0)
        form = self._form(operand)
        if len(form.terms) == 1 and form.constant == 0 and form.terms[0][1] == 1:
            inner = self._divisions.get(form.terms[0][0])
            if inner is not None and quotient and inner[0]:  # (x // a) // b
                return self.floordiv(inner[1], self.size(inner[2] * by))
            if inner is not None and not quotient and not inner[0] and divide_exact(inner[2], by) is not None:
                return self.mod(inner[1], self.size(by))  # (x mod a*b) mod b
        if not form.terms and isinstance(form.constant, int) and isinstance(by, int):
            return self.index(form.constant // by if quotient else form.constant % by)
        out = self._make.call("floordiv" if quotient else "mod", (operand, self.size(by)), int64)
        self._divisions[out] = (quotient, operand, by)
        known = self.ranges.of(form)
        limits = (0, by - 1) if not quotient else None if known is None else range_of_quotient(known, by)
        if limits is not None:
            self.ranges.declare(out, *limits)
        return out

    def _extreme(self, name: str, args: Sequence[Expr], forms: Sequence[Affine]) -> Expr | None:
        difference = forms[0].plus(forms[1], -1)
        if not self.ranges.are_known(difference):
            return None
        above = self.ranges.compare(difference)[0]
        if not (above or self.ranges.compare(difference.scaled(-1))[0]):
            return None
        return args[0] if above == (name == "maximum") else args[1]

    def _comparison(self, name: str, difference: Affine) -> Expr | None:
        if not self.ranges.are_known(difference):
            return None
        above, below, greater = self.ranges.compare(difference)
        negated = self.ranges.compare(difference.scaled(-1))
        at_most, less = negated[0], below
        equal = above and at_most
        differs = less or greater
        proved: dict[str, tuple[bool, bool]] = {
            "ge": (above, less), "lt": (less, above), "gt": (greater, at_most), "le": (at_most, greater),
            "eq": (equal, differs), "ne": (differs, equal),
        }  # fmt: skip
        yes, no = proved[name]
        return self.const(yes, bool_) if yes or no else None

    # -- the rest -----------------------------------------------------------------------------------------------
    def select(self, condition: Expr, if_true: Expr, if_false: Expr) -> Expr:
        if if_true.dtype is not if_false.dtype:
            raise InternalError(f"select got branches of dtypes {if_true.dtype} and {if_false.dtype}")
        if isinstance(condition, Const):
            return if_true if condition.value else if_false
        if if_true is if_false:
            return if_true
        out = self._make.select(condition, if_true, if_false)
        if out.dtype is int64:
            self._join_ranges(out, if_true, if_false)
        return out

    def _join_ranges(self, out: Expr, a: Expr, b: Expr) -> None:
        """A choice lies in both ranges' hull, where the lower and the upper of the ends can be told."""
        known_a, known_b = self.ranges.of(self._form(a)), self.ranges.of(self._form(b))
        if known_a is None or known_b is None:
            return
        for low, other_low in ((known_a[0], known_b[0]), (known_b[0], known_a[0])):
            for high, other_high in ((known_a[1], known_b[1]), (known_b[1], known_a[1])):
                lower = self.ranges.compare(Affine((), other_low - low))[0]
                if lower and self.ranges.compare(Affine((), high - other_high))[0]:
                    self.ranges.declare(out, low, high)
                    return

    def cast(self, x: Expr, dtype: DType) -> Expr:
        if x.dtype is dtype:
            return x
        if isinstance(x, Const) and _is_defined(x, dtype):
            return self.const(self._fold.cast(self._fold.const(x.value, x.dtype), dtype).item(), dtype)
        return self._make.cast(x, dtype)

    def bitcast(self, x: Expr, dtype: DType) -> Expr:
        if x.dtype is dtype:
            return x
        if isinstance(x, Const) and not dtype.is_float:
            return self.const(self._fold.bitcast(self._fold.const(x.value, x.dtype), dtype).item(), dtype)
        return self._make.bitcast(x, dtype)

    def bounds(self, index: Expr, size: Expr, axis: int) -> Expr:
        limit = self._form(size)
        if not limit.terms and self.ranges.is_within(self._form(index), limit.constant):
            return index
        known = self._bounds.get((index, size))
        if known is None:
            known = self._bounds[index, size] = self._make.bounds(index, size, len(self.checks))
            self.checks.append((self.site, axis))
            if not limit.terms:
                # An index that fails becomes 0, so an empty axis leaves 0 too; the run then ends with an error. The
                # range has two values at least: a known index would take the check's place.
                self.ranges.declare(known, 0, limit.constant - 1 if limit.constant not in (0, 1) else 1)
        return known


def _is_defined(x: Const, dtype: DType) -> bool:
    """False for casts whose result depends on the machine: a float outside the integer's range."""
    if not (x.dtype.is_float and dtype.is_integer):
        return True
    low = -(1 << (dtype.bits - 1)) if dtype.kind == "i" else 0
    return low <= x.value < low + (1 << dtype.bits)


__all__ = ["Bitcast", "Bounds", "Call", "Cast", "Const", "Load", "LoopAlgebra", "Select", "Size", "Var"]
