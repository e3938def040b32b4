"""Which way imports go, read from the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "symgraph"

#: Every module or package directly under symgraph, by the layer it belongs to.
LAYERS = {
    "base": "capacity display dtypes errors evaluation events markup options provenance version",
    "plotting": "plotting",
    "ir": "ir",
    "front": "arrangement bfloat checkpointing cloning convolution covariance creation differentiation effects einsum "
    "elementwise generators gradient linalg loops nn numeric ordering own_ops picking products random reducing "
    "resizing scanning shaping subscripts tensor tracer unrolling variable",
    "codegen": "codegen",
    "function": "arguments closing explain function inspection nan_guard plot plot_levels profile report sizing "
    "stages verification",
    "top": "__main__",
    "keras": "keras",
}
#: What each layer may import, besides itself. "public" is the package symgraph with its public names.
ARROWS = {
    "base": "",
    "plotting": "base",
    "ir": "base",
    "front": "base ir",
    "codegen": "base ir",
    "function": "base ir front codegen plotting",
    "top": "base ir front codegen function public",
    "public": "base ir front function",
    "keras": "public plotting",
}
#: The same inside codegen, for the parts that others build on; every other part may import any but targets.
CODEGEN_ARROWS = {
    "cache": "",
    "loop": "",
    "elementary": "loop",
    "gemm": "loop",
    "plan": "loop",
    "host": "plan",
    "kept": "cache loop plan",
    "front": "cache elementary gemm host loop memory plan targets undo",
}
#: Packages that cost much to import; they are imported where they are used.
HEAVY = {"h5py", "llvmlite", "networkx", "pandas", "pydot", "scipy", "sklearn", "yaml", "PIL"}

LAYER_OF = {name: layer for layer, names in LAYERS.items() for name in names.split()} | {"": "public"}
FILES = sorted(PACKAGE.rglob("*.py"))


def module_path(file: Path) -> list[str]:
    parts = list(file.relative_to(ROOT).with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" else parts


def is_module(path: list[str]) -> bool:
    return ROOT.joinpath(*path).is_dir() or ROOT.joinpath(*path).with_suffix(".py").exists()


def imports(file: Path, nodes: Iterator[ast.AST] | None = None) -> Iterator[tuple[list[str], int]]:
    """The modules that a file imports, as paths, with the line."""
    me = module_path(file)
    package = me if file.name == "__init__.py" else me[:-1]
    for node in nodes or ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split("."), node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            for alias in node.names:
                yield ([*base, alias.name] if is_module([*base, alias.name]) else base), node.lineno


def inner(file: Path) -> Iterator[tuple[list[str], int]]:
    return ((path, line) for path, line in imports(file) if path[0] == "symgraph")


def place(file: Path, line: int) -> str:
    return f"{file.relative_to(ROOT)}:{line}"


def test_every_module_belongs_to_a_layer() -> None:
    known = {name for names in LAYERS.values() for name in names.split()}
    found = {module_path(file)[1] for file in FILES if len(module_path(file)) > 1}
    assert not found - known, "say in LAYERS which layer these belong to"


def test_the_page_on_architecture_names_every_module() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", page.partition("## The path of a value")[0]))
    assert not [name for layer in ("base", "front", "function") for name in LAYERS[layer].split() if name not in named]


def test_imports_follow_the_arrows() -> None:
    wrong = []
    for file in FILES:
        layer = LAYER_OF[[*module_path(file), ""][1]]
        allowed = {layer, *ARROWS[layer].split()}
        for path, line in inner(file):
            if LAYER_OF[[*path, ""][1]] not in allowed:
                wrong.append(f"{place(file, line)}: {layer} imports {'.'.join(path)}")
    assert not wrong


def test_imports_inside_codegen_follow_the_arrows() -> None:
    wrong = []
    for file in sorted((PACKAGE / "codegen").rglob("*.py")):
        name = [*module_path(file), "", ""][2]
        for path, line in inner(file):
            if path[1:2] != ["codegen"] or len(path) < 3 or path[2] == name:
                continue
            if path[2] == "targets" if name not in CODEGEN_ARROWS else path[2] not in CODEGEN_ARROWS[name].split():
                wrong.append(f"{place(file, line)}: codegen.{name} imports {'.'.join(path)}")
    assert not wrong


def at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """The statements that run when a module is imported: not inside functions, not for type checkers only."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def test_heavy_packages_are_imported_where_they_are_used() -> None:
    found = []
    for file in FILES:
        nodes = at_import(ast.parse(file.read_text()))
        found += [f"{place(file, line)}: {path[0]}" for path, line in imports(file, nodes) if path[0] in HEAVY]
    assert not found


def test_no_file_is_long() -> None:
    """Past 400 lines a file holds two ideas probably, past 450 surely."""
    long = {str(file.relative_to(ROOT)): file.read_text().count("\n") for file in FILES}
    assert not {name: lines for name, lines in long.items() if lines > 450}
