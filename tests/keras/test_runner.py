"""``python -m symgraph.keras``, ``symgraph.keras.install`` and the stand-in for TensorFlow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from symgraph.keras.__main__ import main

ROOT = Path(__file__).parents[2]

# Import paths of Keras 2 programs, old ones among them.
IMPORTS = """
import keras
import keras.backend as K
from keras import backend, layers, optimizers
from keras.activations import softmax
from keras.callbacks import EarlyStopping, History
from keras.datasets import mnist
from keras.engine import Layer
from keras.engine.input_layer import Input
from keras.engine.topology import Layer as OldLayer
from keras.engine.training import Model as TrainingModel
from keras.initializers import RandomNormal
from keras.layers import Activation, Dense, Dropout, Flatten, Input, Lambda, Reshape
from keras.layers.core import Dense as CoreDense
from keras.losses import categorical_crossentropy
from keras.models import Model, Sequential
from keras.objectives import mean_squared_error
from keras.optimizers import SGD, RMSprop
from keras.regularizers import l2
from keras.utils import np_utils, plot_model, to_categorical
from keras.utils.np_utils import to_categorical as to_categorical_too
from keras.utils.vis_utils import model_to_dot
assert CoreDense is Dense and OldLayer is Layer and TrainingModel is Model and keras.layers is layers
assert K is backend and to_categorical is to_categorical_too
assert keras.__version__ == '2.3.1'
"""


def run(*arguments: str, cwd: Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "symgraph.keras", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=env, input=stdin, capture_output=True, text=True, timeout=120, check=False
    )


def script(folder: Path, text: str, name: str = "script.py") -> str:
    (folder / name).write_text(text)
    return name


def test_every_import_path_of_keras_2_resolves(tmp_path: Path) -> None:
    done = run(script(tmp_path, IMPORTS + "print('fine')"), cwd=tmp_path)
    assert done.stdout == "fine\n", done.stderr


def test_tensorflow_keras_is_the_same_keras(tmp_path: Path) -> None:
    text = """
import keras
import symgraph.keras
import tensorflow as tf
import tensorflow.keras.backend
from tensorflow import keras as tk
from tensorflow.keras.layers import Dense
from tensorflow.keras.utils import to_categorical
assert tk is keras is tf.keras is symgraph.keras
assert Dense is keras.layers.Dense
assert keras.layers.__spec__.name == 'symgraph.keras.layers'
from tensorflow.python.keras import backend
import tensorflow.compat.v1 as tf1
assert backend is keras.backend is tf1.keras.backend and tf1.log is tf.log
try:
    tf.Session
except AttributeError as error:
    print(error)
"""
    done = run(script(tmp_path, text), cwd=tmp_path)
    assert done.stdout == (
        "module 'tensorflow' has no attribute 'Session' here: there are no sessions: "
        "K.function or symgraph.function runs tensors, and K.get_value reads a variable\n"
    ), done.stderr


def test_a_module_that_keras_does_not_have(tmp_path: Path) -> None:
    done = run("-c", "import keras.nothing_here", cwd=tmp_path)
    assert done.returncode == 1
    assert "ModuleNotFoundError: No module named 'keras.nothing_here' (symgraph.keras stands in" in done.stderr


SHOW = """
import json, sys
print(json.dumps([sys.argv, __name__, globals().get('__file__'), sys.path[0], __package__]))
print(sys.modules['__main__'].__dict__ is globals())
"""


def test_a_script_sees_what_python_would_show_it(tmp_path: Path) -> None:
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "beside.py").write_text("VALUE = 5\n")
    script(folder, SHOW + "import beside; print(beside.VALUE)\nif __name__ == '__main__': sys.exit(7)\n")
    done = run("programs/script.py", "--flag", "x y", cwd=tmp_path)
    first, same, value = done.stdout.splitlines()
    argv, name, file, path, package = json.loads(first)
    assert argv == ["programs/script.py", "--flag", "x y"]
    assert (name, package) == ("__main__", None)
    assert Path(file) == folder / "script.py" and Path(path) == folder
    assert (same, value, done.returncode) == ("True", "5", 7)


def test_module_command_and_standard_input(tmp_path: Path) -> None:
    package = tmp_path / "program"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(SHOW + "from . import part\n")
    (package / "part.py").write_text("import keras; print(keras.__name__)")
    done = run("-m", "program", "a", cwd=tmp_path)
    first, same, name = done.stdout.splitlines()
    argv, main, file, path, of = json.loads(first)
    assert argv == [str(package / "__main__.py"), "a"] and file == argv[0]
    assert (main, path, of, same, name) == ("__main__", str(tmp_path), "program", "True", "symgraph.keras")
    assert run("-m", "program.part", cwd=tmp_path).stdout == "symgraph.keras\n"
    for done in (run("-c", SHOW, "b", cwd=tmp_path), run("-", "b", cwd=tmp_path, stdin=SHOW)):
        argv, main, file, path, of = json.loads(done.stdout.splitlines()[0])
        assert argv[1:] == ["b"] and argv[0] in ("-c", "-")
        assert (main, file, path, of) == ("__main__", None, "", None)


def test_a_traceback_begins_at_the_program(tmp_path: Path) -> None:
    done = run(script(tmp_path, "import keras\n\ndef f():\n    return 1 / 0\n\nf()\n"), cwd=tmp_path)
    plain = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"},
        cwd=script_without_keras(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == plain.returncode == 1
    assert done.stderr == plain.stderr and "ZeroDivisionError" in done.stderr


def script_without_keras(folder: Path) -> Path:
    """A module ``keras`` for plain python, so that both runs reach the same line."""
    (folder / "keras.py").write_text("")
    return folder


def test_a_syntax_error_shows_no_frame_of_ours(tmp_path: Path) -> None:
    done = run(script(tmp_path, "x = = 1\n"), cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f'  File "{tmp_path / "script.py"}", line 1'
    assert "symgraph" not in done.stderr


def test_mistakes_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = run("absent.py", cwd=tmp_path)
    assert missing.returncode == 2
    assert missing.stderr == (
        f"{sys.executable}: can't open file {str(tmp_path / 'absent.py')!r}: [Errno 2] No such file or directory\n"
    )
    assert "No module named absent" in run("-m", "absent", cwd=tmp_path).stderr
    assert [main(arguments) for arguments in ([], ["-m"], ["-x"], ["--help"])] == [2, 2, 2, 0]
    shown = capsys.readouterr()
    assert shown.err.count("usage:") == 3
    assert shown.out.startswith("usage: python -m symgraph.keras script.py")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interrupted_program_dies_of_the_signal(tmp_path: Path) -> None:
    done = run(script(tmp_path, "raise KeyboardInterrupt\n"), cwd=tmp_path)
    assert done.returncode == -signal.SIGINT
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"


def plain(text: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", text], cwd=cwd, env=env, capture_output=True, text=True, check=False)


def test_install_does_the_same_in_a_program(tmp_path: Path) -> None:
    done = plain(
        "import symgraph.keras\nsymgraph.keras.install()\nsymgraph.keras.install()\n"
        "import sys\nassert sum('_install' in type(f).__module__ for f in sys.meta_path) == 1\n"
        "from keras.layers import Dense\nprint(Dense is symgraph.keras.layers.Dense)",
        tmp_path,
    )
    assert done.stdout == "True\n", done.stderr


def test_install_after_another_keras_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "keras.py").write_text("")
    done = plain("import keras, symgraph.keras\nsymgraph.keras.install()", tmp_path)
    assert "ImportError: 'keras' is already imported, from" in done.stderr
    assert "call symgraph.keras.install() before that" in done.stderr
