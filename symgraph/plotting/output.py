"""Writing a diagram to a file: by graphviz where it is installed, SVG and DOT text without it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from ..errors import ArgumentError, TargetError
from .diagram import Diagram
from .dot import to_dot
from .svg import to_svg

TEXT = ("dot", "gv")
VECTOR = ("svg", "pdf", "ps", "eps")
FORMATS = (*TEXT, *VECTOR, "png", "jpg", "jpeg", "gif", "webp")


def write(diagram: Diagram, to_file: str | os.PathLike[str], dpi: int = 96) -> Path:
    """Write ``diagram`` in the format that the file's name ends with (PNG if it has no ending).

    Graphviz's ``dot`` draws where it is installed. Without it, SVG is drawn here, and DOT is text anyway.

    Raises:
        ArgumentError: for an ending that is no known format.
        TargetError: for a format that needs ``dot`` where there is none, or where ``dot`` fails.
    """
    path = Path(to_file)
    if not path.suffix:
        path = path.with_name(path.name + ".png")
    kind = path.suffix[1:].lower()
    if kind not in FORMATS:
        raise ArgumentError(f"cannot draw {path.name!r}: no format {kind!r}; the formats are: {', '.join(FORMATS)}")
    program = shutil.which("dot")
    if kind in TEXT:
        path.write_text(to_dot(diagram, dpi).to_string(), encoding="utf-8")
    elif program is not None:
        # A vector format has points, and graphviz clips an SVG whose dpi is another than theirs.
        _run_dot(program, kind, to_dot(diagram, 72 if kind in VECTOR else dpi).to_string(), path)
    elif kind == "svg":
        path.write_text(to_svg(diagram, dpi), encoding="utf-8")
    else:
        raise TargetError(
            f"drawing {path.name!r} needs graphviz's program `dot`, which is not on the PATH; "
            "install graphviz, or write a .svg or .dot file, which need no other program"
        )
    return path


def _run_dot(program: str, kind: str, text: str, path: Path) -> None:
    done = subprocess.run([program, f"-T{kind}"], input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        raise TargetError(f"graphviz could not draw {path.name!r}: {done.stderr.decode(errors='replace').strip()}")
    path.write_bytes(done.stdout)
