"""Fits the minimax polynomials of :mod:`symgraph.ir.elementary` and prints its ``tables.py``.

    python benchmarks/minimax.py > symgraph/ir/elementary/tables.py

The exchange algorithm of Remez on a dense grid, in decimal arithmetic of 80 digits. Coefficients are rounded to the
format they are used in one at a time, lowest order first, and the rest is fitted again after each.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal as D
from decimal import getcontext
from math import cos, pi

getcontext().prec = 80
GRID = 1200
LN2 = D(2).ln()
Function = Callable[[D], D]


def power_series(ratio: Callable[[int], D], x: D, first: D = D(1)) -> D:
    """``first * (1 + ratio(1) x (1 + ratio(2) x (...)))`` until terms vanish."""
    total = term = first
    n = 0
    while term and abs(term) > abs(total) * D("1e-75"):
        n += 1
        term = term * x * ratio(n)
        total += term
    return total


def sin(x: D) -> D:
    return x * power_series(lambda n: D(-1) / (2 * n * (2 * n + 1)), x * x)


def cosine(x: D) -> D:
    return power_series(lambda n: D(-1) / (2 * n * (2 * n - 1)), x * x)


def atan(x: D) -> D:
    return x * power_series(lambda n: -D(2 * n - 1) / (2 * n + 1), x * x)


def atanh(x: D) -> D:
    return x * power_series(lambda n: D(2 * n - 1) / (2 * n + 1), x * x)


def asin(x: D) -> D:
    return x * power_series(lambda n: D(2 * n - 1) ** 2 / (2 * n * (2 * n + 1)), x * x)


def tanh(x: D) -> D:
    e = (2 * x).exp()
    return (e - 1) / (e + 1)


def arctan_sum(x: D) -> D:
    return 4 * (4 * atan(1 / x) - atan(1 / D(239)))


PI = arctan_sum(D(5))


def erf(x: D) -> D:
    return 2 / PI.sqrt() * x * power_series(lambda n: -D(2 * n - 1) / (n * (2 * n + 1)), x * x)


def solve(rows: list[list[D]], right: list[D]) -> list[D]:
    """Gaussian elimination with pivoting."""
    n = len(right)
    table = [[*row, value] for row, value in zip(rows, right, strict=True)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(table[k][i]))
        table[i], table[pivot] = table[pivot], table[i]
        for k in range(i + 1, n):
            factor = table[k][i] / table[i][i]
            if factor:
                table[k] = [a - factor * b for a, b in zip(table[k], table[i], strict=True)]
    out = [D(0)] * n
    for i in reversed(range(n)):
        rest = sum((table[i][k] * out[k] for k in range(i + 1, n)), D(0))
        out[i] = (table[i][n] - rest) / table[i][i]
    return out


def remez(xs: list[D], fs: list[D], ws: list[D], terms: int) -> list[D]:
    """Coefficients of the polynomial that minimises ``max |w (f - p)|`` on the grid."""
    basis = [[x**k if k else D(1) for k in range(terms)] for x in xs]
    nodes = [round((1 - cos(pi * i / terms)) / 2 * (len(xs) - 1)) for i in range(terms + 1)]
    best: tuple[D, list[D]] = (D("inf"), [])
    for _ in range(30):
        rows = [basis[k] + [(-1) ** i / ws[k]] for i, k in enumerate(nodes)]
        *coefficients, level = solve(rows, [fs[k] for k in nodes])
        error = [
            w * (f - sum(c * b for c, b in zip(coefficients, row, strict=True)))
            for w, f, row in zip(ws, fs, basis, strict=True)
        ]
        best = min(best, (max(map(abs, error)), coefficients))
        if best[0] <= abs(level) * D("1.001"):
            break
        nodes = exchange(error, terms + 1)
    return best[1]


def exchange(error: list[D], count: int) -> list[int]:
    """The extreme of every run of one sign; the smallest dropped (with a neighbour, to keep the signs in turn) until
    ``count`` are left.
    """
    peaks: list[int] = []
    for k, e in enumerate(error):
        if peaks and (error[peaks[-1]] >= 0) == (e >= 0):
            if abs(e) > abs(error[peaks[-1]]):
                peaks[-1] = k
        else:
            peaks.append(k)
    if len(peaks) < count:
        raise SystemExit(f"degenerate fit: {len(peaks)} extremes of {count}")
    while len(peaks) > count:
        sizes = [abs(error[k]) for k in peaks]
        least = sizes.index(min(sizes))
        if len(peaks) == count + 1 or least in (0, len(peaks) - 1):
            peaks.pop(0 if sizes[0] < sizes[-1] else -1)
        else:
            other = least + 1 if sizes[least + 1] < sizes[least - 1] else least - 1
            for k in sorted((least, other), reverse=True):
                peaks.pop(k)
    return peaks


def rounded(x: D, bits: int) -> D:
    """``x`` in float32 or float64."""
    if bits == 64:
        return D(float(x))
    return D(struct.unpack("f", struct.pack("f", float(x)))[0])


@dataclass(frozen=True)
class Fit:
    """``f ~ sum c_k x**k`` for ``k < terms`` on ``[low, high]``, error weighted by ``weight``, coefficients in
    ``bits``.
    """

    name: str
    what: str
    f: Function
    weight: Function
    low: D
    high: D
    terms: int
    bits: int

    def run(self) -> tuple[list[D], D]:
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        xs = [middle - half * D(cos(pi * (i + 0.5) / GRID)) for i in range(GRID)]
        fs, ws = [self.f(x) for x in xs], [abs(self.weight(x)) for x in xs]
        done: list[D] = []
        while len(done) < self.terms:
            coefficients = remez(xs, fs, ws, self.terms - len(done))
            done.append(rounded(coefficients[0], self.bits))
            # What is left, divided by x: the powers above the constant alone would not determine a best fit around 0.
            fs = [(f - done[-1]) / x for f, x in zip(fs, xs, strict=True)]
            ws = [w * abs(x) for w, x in zip(ws, xs, strict=True)]
        return done, max(abs(w * f) for w, f in zip(ws, fs, strict=True))


def erfc_scaled(x: D) -> D:
    """``erfc(x) * exp(x*x)``."""
    return (1 - erf(x)) * (x * x).exp()


HALF_LN2 = LN2 / 2 * D("1.001")
QUARTER_PI = PI / 4 * D("1.0001")
TAN8 = (D(2).sqrt() - 1) * D("1.0001")
S2 = ((D(2).sqrt() - 1) / (D(2).sqrt() + 1)) * D("1.0001")


def exp_tail(r: D, order: int) -> D:
    """``(exp(r) - sum of its first terms) / r**order``."""
    factorial = D(1)
    for k in range(2, order + 1):
        factorial *= k
    return power_series(lambda n: D(1) / (n + order), r, 1 / factorial)


def log_tail(f: D) -> D:
    """``(log(1+f) - f + f*f/2) / f**3``."""
    return power_series(lambda n: -D(n + 2) / (n + 3), f, D(1) / 3)


def odd_tail(f: Function, z: D, slope: D = D(1)) -> D:
    """``(f(x) - slope x) / x**3`` at ``x = sqrt(z)``."""
    x = z.sqrt()
    return (f(x) - slope * x) / (x * z)


def relative_odd(f: Function) -> Function:
    """The weight with which an error of ``odd_tail`` is one relative to ``f``."""
    return lambda z: z * z.sqrt() / f(z.sqrt())


FITS = (
    Fit("EXP_32", "(exp(r)-1-r)/r^2", lambda r: exp_tail(r, 2), lambda r: r * r / r.exp(),
        -HALF_LN2, HALF_LN2, 5, 32),
    Fit("EXPM1_32", "(exp(r)-1-r)/r^2", lambda r: exp_tail(r, 2), lambda r: r / exp_tail(r, 1),
        -HALF_LN2, HALF_LN2, 6, 32),
    Fit("EXP2_32", "(2^r-1)/r", lambda r: LN2 * exp_tail(r * LN2, 1), lambda r: r / (r * LN2).exp(), D("-0.501"),
        D("0.501"), 7, 32),
    Fit("LOG_32", "(log(1+f)-f+f^2/2)/f^3", log_tail, lambda f: f**3 / (1 + f).ln(), D("-0.3334"),
        D("0.3334"), 8, 32),
    Fit("ERF_32", "erf(x)/x - 1, in x*x", lambda z: erf(z.sqrt()) / z.sqrt() - 1,
        lambda z: z.sqrt() / erf(z.sqrt()), D("1e-9"), D(1), 7, 32),
    Fit("ERFC_32", "log(erfc(x))", lambda x: (1 - erf(x)).ln(), lambda x: (1 - erf(x)) / erf(x), D("0.99"),
        D("4.0"), 7, 32),
    Fit("TANH_32", "(tanh(x)-x)/x^3, in x*x", lambda z: odd_tail(tanh, z), relative_odd(tanh), D("1e-9"),
        D("0.391"), 5, 32),
    Fit("EXP_S", "(exp(r)-1-r)/r^2", lambda r: exp_tail(r, 2), lambda r: r / exp_tail(r, 1),
        -HALF_LN2, HALF_LN2, 6, 64),
    Fit("EXP_D", "(exp(r)-1-r-r^2/2)/r^3", lambda r: exp_tail(r, 3), lambda r: r * r / exp_tail(r, 1),
        -HALF_LN2, HALF_LN2, 10, 64),
    Fit("EXP2_S", "(2^r-1)/r", lambda r: LN2 * exp_tail(r * LN2, 1), lambda r: r / (r * LN2).exp(), D("-0.501"),
        D("0.501"), 7, 64),
    Fit("EXP2_D", "(2^r-1)/r", lambda r: LN2 * exp_tail(r * LN2, 1), lambda r: r / (r * LN2).exp(), D("-0.501"),
        D("0.501"), 12, 64),
    Fit("LOG_S", "(2atanh(s)-2s)/s^3, in s*s", lambda z: 2 * odd_tail(atanh, z), relative_odd(atanh),
        D("1e-9"), S2 * S2, 4, 64),
    Fit("LOG_D", "(2atanh(s)-2s)/s^3, in s*s", lambda z: 2 * odd_tail(atanh, z), relative_odd(atanh),
        D("1e-9"), S2 * S2, 7, 64),
    Fit("LOG_DD", "(2atanh(s)-2s-2s^3/3)/s^5, in s*s",
        lambda z: 2 * (atanh(z.sqrt()) - z.sqrt() - z * z.sqrt() / 3) / (z * z * z.sqrt()),
        lambda z: z * z, D("1e-8"), S2 * S2, 8, 64),
    Fit("SIN_S", "(sin(x)-x)/x^3, in x*x", lambda z: odd_tail(sin, z), relative_odd(sin), D("1e-9"),
        QUARTER_PI**2, 4, 64),
    Fit("SIN_D", "(sin(x)-x)/x^3, in x*x", lambda z: odd_tail(sin, z), relative_odd(sin), D("1e-9"),
        QUARTER_PI**2, 6, 64),
    Fit("COS_S", "(cos(x)-1+x^2/2)/x^4, in x*x", lambda z: (cosine(z.sqrt()) - 1 + z / 2) / (z * z),
        lambda z: z * z / cosine(z.sqrt()),
        D("1e-9"), QUARTER_PI**2, 3, 64),
    Fit("COS_D", "(cos(x)-1+x^2/2)/x^4, in x*x", lambda z: (cosine(z.sqrt()) - 1 + z / 2) / (z * z),
        lambda z: z * z / cosine(z.sqrt()),
        D("1e-9"), QUARTER_PI**2, 5, 64),
    Fit("ATAN_S", "(atan(x)-x)/x^3, in x*x", lambda z: odd_tail(atan, z), relative_odd(atan), D("1e-9"),
        TAN8**2, 6, 64),
    Fit("ATAN_D", "(atan(x)-x)/x^3, in x*x", lambda z: odd_tail(atan, z), relative_odd(atan), D("1e-9"),
        TAN8**2, 11, 64),
    Fit("ASIN_S", "(asin(x)-x)/x^3, in x*x", lambda z: odd_tail(asin, z), relative_odd(asin), D("1e-9"),
        D("0.2501"), 7, 64),
    Fit("ASIN_D", "(asin(x)-x)/x^3, in x*x", lambda z: odd_tail(asin, z), relative_odd(asin), D("1e-9"),
        D("0.2501"), 13, 64),
    Fit("ERF_D", "erf(x)/x - 1, in x*x", lambda z: erf(z.sqrt()) / z.sqrt() - 1,
        lambda z: z.sqrt() / erf(z.sqrt()), D("1e-9"), D(1), 13, 64),
    Fit("ERFC_D", "erfc(x) exp(x^2), in t - 0.4 of t = 2/(2+x)", lambda t: erfc_scaled(2 / (t + D("0.4")) - 2),
        lambda t: (-(2 / (t + D("0.4")) - 2) ** 2).exp() / erf(2 / (t + D("0.4")) - 2), D("0.25") - D("0.4"),
        D("0.67") - D("0.4"), 13, 64),
)  # fmt: skip


def main() -> None:
    getcontext().prec = 80
    wanted = sys.argv[1:]
    print('"""Coefficients, lowest order first. Written by ``benchmarks/minimax.py``; ``_32`` are float32 numbers,')
    print("``_S`` float64 numbers that serve a float32 result, ``_D`` (and ``_DD``) serve float64.")
    print('"""')
    for fit in FITS:
        if wanted and fit.name not in wanted:
            continue
        coefficients, error = fit.run()
        print(f"\n#: {fit.what}; weighted error 2^{float(error.ln() / LN2):.1f}")
        print(f"{fit.name} = (")
        for c in coefficients:
            print(f"    {float(c)!r},")
        print(")")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
