"""A walk through the recorded API of Keras 2.3.1: what of it is not here, or has another signature."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from typing import Any


def problems(modules: dict[str, Any]) -> Iterator[str]:
    """One line for each name that is missing or differs."""
    for name, recorded in modules.items():
        try:
            module = importlib.import_module("symgraph." + name)
        except ModuleNotFoundError:
            yield f"{name}: no such module"
            continue
        for entry, signature in recorded.get("functions", {}).items():
            yield from _function(f"{name}.{entry}", getattr(module, entry, None), signature)
        for entry, described in recorded.get("classes", {}).items():
            yield from _class(f"{name}.{entry}", getattr(module, entry, None), described)
        for kind in ("aliases", "exports"):
            for entry, target in recorded.get(kind, {}).items():
                imported = isinstance(target, dict) and "module" in target  # what a module imports for itself
                if not imported and not hasattr(module, entry):
                    yield f"{name}.{entry}: missing"


def backend_problems(functions: dict[str, Any]) -> Iterator[str]:
    """The same for the functions of ``keras.backend``, with the signatures that they have over TensorFlow."""
    backend = importlib.import_module("symgraph.keras.backend")
    for entry, described in functions.items():
        if described["exported_by_keras.backend"]:
            signature = described.get("signature") or described["signatures"]["tensorflow"]
            yield from _function(f"keras.backend.{entry}", getattr(backend, entry, None), signature)


def _class(name: str, found: Any, described: dict[str, Any]) -> Iterator[str]:
    if found is None:
        yield f"{name}: missing"
        return
    init = described.get("init", "inherited")
    if init != "inherited":
        yield from _function(name, found.__init__, init, skip_self=True)
    for method, signature in described.get("methods", {}).items():
        if method.startswith("__") and method != "__call__":
            continue
        actual = inspect.getattr_static(found, method, None)
        if actual is None:
            yield f"{name}.{method}: missing"
        else:
            clean = signature[signature.index("(") :]
            bound = getattr(found, method)
            yield from _function(f"{name}.{method}", bound, clean, skip_self=not inspect.ismethod(bound))
    yield from (f"{name}.{p}: missing" for p in described.get("properties", {}) if not hasattr(found, p))


def _function(name: str, found: Any, signature: str, skip_self: bool = False) -> Iterator[str]:
    if found is None:
        yield f"{name}: missing"
        return
    if signature == "(*args, **kwargs)":  # that of a wrapper, which says nothing of what the function takes
        return
    try:
        actual = list(inspect.signature(found).parameters.values())
    except (TypeError, ValueError):
        yield f"{name}: has no signature"
        return
    if actual and actual[0].name == "self" and skip_self:
        actual = actual[1:]
    wanted = _parameters(signature)
    if not _fits(actual, wanted):
        yield f"{name}: the signature is {_shown(actual)}, Keras has {signature}"


def _parameters(signature: str) -> list[tuple[str, str | None]]:
    """Names (starred ones with their stars) and defaults (as source) of a recorded signature."""
    arguments = ast.parse(f"def f{signature}: pass").body[0].args  # type: ignore[attr-defined]
    names = [a.arg for a in arguments.args]
    defaults = [None] * (len(names) - len(arguments.defaults)) + [ast.unparse(d) for d in arguments.defaults]
    found: list[tuple[str, str | None]] = list(zip(names, defaults, strict=True))
    found += [("*" + arguments.vararg.arg, None)] if arguments.vararg else []
    found += [("**" + arguments.kwarg.arg, None)] if arguments.kwarg else []
    return found


def _fits(actual: list[inspect.Parameter], wanted: list[tuple[str, str | None]]) -> bool:
    """Same names in the same order with equal defaults; more parameters are fine if they need not be given."""
    plain = [p for p in actual if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY, p.KEYWORD_ONLY)]
    takes_any = {p.kind for p in actual} & {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
    for i, (name, default) in enumerate(w for w in wanted if not w[0].startswith("*")):
        if i >= len(plain) or plain[i].name != name:
            return False
        if default is None:
            continue
        if plain[i].default is inspect.Parameter.empty:
            return False
        try:
            expected = ast.literal_eval(default)
        except ValueError:
            continue  # a name: which object it is does not show in the recorded text
        if plain[i].default != expected:
            return False
    extra = plain[len([w for w in wanted if not w[0].startswith("*")]) :]
    if any(p.default is inspect.Parameter.empty for p in extra):
        return False
    return bool(takes_any) or not any(w[0].startswith("*") for w in wanted)


def _shown(actual: list[inspect.Parameter]) -> str:
    return "(" + ", ".join(str(p.replace(annotation=inspect.Parameter.empty)) for p in actual) + ")"
