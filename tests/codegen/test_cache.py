"""The cache on disk: what is kept, what is refused, many processes at once, and nothing that can go wrong hurts."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import symgraph as sg
from symgraph import __main__ as command
from symgraph import events
from symgraph.codegen import cache
from symgraph.codegen.cache import Store, content_key, open_store
from symgraph.codegen.kept import load_plan, plan_key
from symgraph.codegen.loop.parse import parse_kernel
from symgraph.codegen.plan_text import print_plan
from symgraph.codegen.targets.llvm.cache import KernelCache, kernel_key, module_code
from symgraph.codegen.targets.llvm.cpu import host_cpu
from symgraph.codegen.targets.llvm.driver_code import driver_text
from symgraph.ir.parser import parse_graph
from symgraph.options import Options
from tests.codegen.llvm_run import CPUS
from tests.codegen.samples import WRITTEN

ROOT = Path(__file__).parents[2]
KEY = "ab" * 32
HEADER = {"kind": "test", "name": "of a test"}
DENSE = parse_kernel(WRITTEN["dense"])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def only_file(store: Store) -> Path:
    (path,) = store.folder.iterdir()
    return path


def run_python(source: str, cache: Path | str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SYMGRAPH_CACHE": str(cache)}
    command = [sys.executable, "-c", source]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


# -- entries ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"code", b"a: b\n\nc: d\n\n", bytes(range(256)) * 1000])
def test_what_was_written_is_read(store: Store, content: bytes) -> None:
    assert store.read(KEY) is None
    store.write(KEY, HEADER, content)
    entry = store.read(KEY)
    assert entry is not None and entry.content == content
    assert entry.header == {"key": KEY, "bytes": str(len(content)), **HEADER}
    again = Store(store.folder).read(KEY)
    assert again == entry
    assert store.size() == (1, only_file(store).stat().st_size)


def test_the_folder_is_private_and_nothing_is_left_over(store: Store) -> None:
    store.write(KEY, HEADER, b"code")
    assert store.folder.stat().st_mode & 0o777 == 0o700
    assert only_file(store).stat().st_mode & 0o777 == 0o600


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_an_entry_with_any_byte_changed_or_cut_off_is_no_entry(store: Store) -> None:
    store.write(KEY, HEADER, b"machine code")
    path = only_file(store)
    whole = path.read_bytes()
    damaged = [flipped(whole, at) for at in range(len(whole))] + [whole[:n] for n in range(len(whole))]
    for data in (*damaged, whole + b"x", b"\0" * len(whole)):
        path.write_bytes(data)
        assert store.read(KEY) is None
    store.write(KEY, HEADER, b"machine code")
    assert path.read_bytes() == whole
    assert store.read(KEY) is not None


def test_an_entry_of_another_key_is_no_entry(store: Store) -> None:
    store.write(KEY, HEADER, b"code")
    other = "cd" * 32
    only_file(store).rename(store.folder / f"{other}.entry")
    assert store.read(other) is None


def test_an_entry_that_others_may_write_is_no_entry(store: Store) -> None:
    store.write(KEY, HEADER, b"code")
    path = only_file(store)
    path.chmod(0o622)
    assert store.read(KEY) is None
    target = path.rename(store.folder.parent / "elsewhere")
    target.chmod(0o600)
    path.symlink_to(target)
    assert store.read(KEY) is None


@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702])
def test_a_folder_that_others_may_write_to_is_refused(
    store: Store, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(KEY, HEADER, b"code")
    store.folder.chmod(mode)
    opened = Store(store.folder)
    with caplog.at_level(logging.WARNING, "symgraph"):
        assert opened.read(KEY) is None
    assert "others may write there" in caplog.text
    opened.write("cd" * 32, HEADER, b"code")
    assert opened.size() == (0, 0)
    assert len(list(store.folder.iterdir())) == 1
    assert caplog.text.count("is not used") == 1


def test_a_file_in_the_place_of_the_folder_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    opened = Store(path)
    with caplog.at_level(logging.WARNING, "symgraph"):
        for key in (KEY, "cd" * 32):
            assert opened.read(key) is None
            opened.write(key, HEADER, b"code")
    assert opened.size() == (0, 0)
    assert caplog.text.count("it is no folder") == caplog.text.count("is not used") == 1
    assert path.read_text() == "mine"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owners here")
def test_a_folder_of_another_user_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(KEY, HEADER, b"code")
    monkeypatch.setattr("os.geteuid", lambda: 12345678)
    assert Store(store.folder).read(KEY) is None


def test_the_disk_may_refuse_everything(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(events, "tell", lambda topic, message, *values: told.append(message % values))

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        store.write(KEY, HEADER, b"code")
    assert list(store.folder.iterdir()) == []
    store.write(KEY, HEADER, b"code")
    assert store.read(KEY) is None
    assert len(told) == 1 and "No space left" in told[0] and "not kept" in told[0]
    (store.folder.parent / "file").write_text("")
    blocked = Store(store.folder.parent / "file" / "cache")
    blocked.write(KEY, HEADER, b"code")
    blocked.write(KEY, HEADER, b"code")
    assert blocked.read(KEY) is None and blocked.size() == (0, 0) and blocked.clear() == 0
    assert len(told) == 2


def test_the_folder_may_go_away_meanwhile(store: Store) -> None:
    store.write(KEY, HEADER, b"code")
    only_file(store).unlink()
    store.folder.rmdir()
    assert store.read(KEY) is None
    store.write(KEY, HEADER, b"code")
    assert store.read(KEY) is not None


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache", limit=40_000)
    keys = [f"{i:064x}" for i in range(8)]
    for i, key in enumerate(keys):
        store.write(key, HEADER, b"x" * 5000)
        os.utime(store.folder / f"{key}.entry", (1e9 + i, 1e9 + i))
    assert store.read(keys[0]) is not None  # used just now
    stale = store.folder / "dead.0123.part"
    stale.write_bytes(b"")
    os.utime(stale, (1e9, 1e9))
    fresh = store.folder / "alive.0123.part"
    fresh.write_bytes(b"")
    store.trim()
    kept = [key for key in keys if (store.folder / f"{key}.entry").exists()]
    assert kept == [keys[0], *keys[4:]] or kept == [keys[0], *keys[3:]]
    assert store.size()[1] <= store.limit
    assert fresh.exists() and not stale.exists()


def test_writing_much_trims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_LOOK_AFTER", 10_000)
    store = Store(tmp_path / "cache", limit=50_000)
    for i in range(100):
        store.write(f"{i:064x}", HEADER, b"x" * 5000)
    assert store.size()[1] <= 70_000
    assert store.clear() > 0
    assert store.size() == (0, 0)


WRITER = """
import sys
from pathlib import Path
from symgraph.codegen.cache import Store
store = Store(Path(sys.argv[1] if len(sys.argv) > 1 else {folder!r}), limit=1 << 16)
for i in range(300):
    key = f"{{i % 7:064x}}"
    entry = store.read(key)
    assert entry is None or entry.content == key.encode() * 500, key
    store.write(key, {{"kind": "test"}}, key.encode() * 500)
    if i % 50 == 0:
        store.trim()
print("well")
"""


def test_many_processes_at_once(store: Store) -> None:
    source = WRITER.format(folder=str(store.folder))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [
        subprocess.Popen([sys.executable, "-c", source], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [writer.communicate()[0] for writer in writers] == ["well\n"] * 4
    assert all(path.suffix == ".entry" for path in store.folder.iterdir())


# -- keys and places --------------------------------------------------------------------------------------------------


def test_keys_tell_parts_apart() -> None:
    keys = {content_key("ab", "c"), content_key("a", "bc"), content_key("abc"), content_key("ab", "c", "")}
    assert len(keys) == 4
    assert content_key("ab", b"c") == content_key(b"ab", "c")


def test_kernel_keys_depend_on_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    cpus = list(CPUS.values())
    smaller = type(cpus[0])(**{f: getattr(cpus[0], f) for f in cpus[0].__dataclass_fields__} | {"l2": 1 << 18})
    keys = {kernel_key(DENSE, cpu) for cpu in (*cpus, smaller)}
    assert len(keys) == len(cpus) + 1
    monkeypatch.setattr("llvmlite.__version__", "0.1")
    assert kernel_key(DENSE, cpus[0]) not in keys


def test_the_environment_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folder() -> Path | None:
        store = open_store()
        return None if store is None else store.folder

    monkeypatch.setenv("SYMGRAPH_CACHE", str(tmp_path))
    assert folder() == tmp_path
    for off in ("off", "OFF"):
        monkeypatch.setenv("SYMGRAPH_CACHE", off)
        assert folder() is None
    monkeypatch.delenv("SYMGRAPH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert folder() == tmp_path / "xdg" / "symgraph"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    cache._open.cache_clear()
    assert folder() == tmp_path / ".cache" / "symgraph"
    cache._open.cache_clear()


# -- kernels ----------------------------------------------------------------------------------------------------------


def never(*arguments: object, **options: object) -> None:
    raise AssertionError("compiled again")


def test_kernels_come_from_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMGRAPH_CACHE", str(tmp_path / "cache"))
    cpu = host_cpu()
    first, second = KernelCache(), KernelCache()
    made = {name: first.get(parse_kernel(text), cpu) for name, text in WRITTEN.items()}
    assert (first.hits, first.loaded, first.misses) == (0, 0, len(made))
    monkeypatch.setattr("symgraph.codegen.targets.llvm.kernel.compile_kernel", never)
    for name, text in WRITTEN.items():
        found = second.get(parse_kernel(text), cpu)
        assert (found.key, found.object_code, found.phases, found.workspace) == (
            made[name].key, made[name].object_code, made[name].phases, made[name].workspace,
        )  # fmt: skip
    assert (second.hits, second.loaded, second.misses) == (0, len(made), 0)
    code = module_code("driver", driver_text(cpu), cpu)
    monkeypatch.setattr("symgraph.codegen.targets.llvm.cache.compiler_for", never)
    assert module_code("driver", driver_text(cpu), cpu) == code


def test_damaged_kernels_are_compiled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMGRAPH_CACHE", str(tmp_path / "cache"))
    cpu = host_cpu()
    made = KernelCache().get(DENSE, cpu)
    (path,) = (tmp_path / "cache").iterdir()
    whole = path.read_bytes()
    damage: list[Callable[[bytes], bytes]] = [lambda d: d[:-100], lambda d: flipped(d, len(d) - 50), lambda d: b""]
    for harm in damage:
        path.write_bytes(harm(whole))
        again = KernelCache()
        assert again.get(DENSE, cpu).object_code == made.object_code
        assert (again.loaded, again.misses) == (0, 1)
        assert path.read_bytes() == whole


FUNCTION = """
import numpy as np
import symgraph as sg
x = sg.placeholder((None, 5), name="x")
w = sg.variable(np.arange(15, dtype=np.float32).reshape(5, 3))
y = sg.softmax(sg.dot(x, w))
f = sg.function([x], [y, sg.grad(sg.sum(y * y), w)], target="llvm")
print([a.tolist() for a in f(np.arange(10, dtype=np.float32).reshape(2, 5) / 10)])
"""


def test_two_processes_make_the_same_bytes(tmp_path: Path) -> None:
    """In other folders, at other times, with another hash seed; and what was kept computes the same."""
    texts = [run_python(FUNCTION, tmp_path / name) for name in ("a", "b", "a", "off")]
    assert len(set(texts)) == 1
    kept = [{p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("a", "b")]
    assert kept[0] == kept[1]
    assert len(kept[0]) > 3


def test_a_warm_start_generates_no_code(tmp_path: Path) -> None:
    """The modules that write LLVM text are not even loaded."""
    listing = "\nimport sys; print(sorted(m for m in sys.modules if 'targets.llvm' in m))"
    cold = run_python(FUNCTION + listing, tmp_path / "cache")
    warm = run_python(FUNCTION + listing, tmp_path / "cache")
    assert cold.splitlines()[0] == warm.splitlines()[0]
    writers = ("statement", "expression", "emit", "contract", "gemm_micro", "vector")
    for name in writers:
        assert f"llvm.{name}'" in cold
        assert f"llvm.{name}'" not in warm


# -- plans ------------------------------------------------------------------------------------------------------------


def a_function() -> sg.Function:
    """With constants, a check of bounds, a position that needs a row, an update, and random numbers."""
    sg.set_random_seed(1)  # the number of a draw is a part of the graph
    x = sg.placeholder((None, 5), name="x")
    index = sg.placeholder((None,), "int32", name="index")
    total = sg.variable(np.zeros(3, np.float32), name="total")
    table = sg.constant(np.arange(150, dtype=np.float32).reshape(10, 15)[:, :5])
    with sg.name_scope("embedding"):
        y = sg.softmax(x[1:] + sg.take(table, index, axis=0)[1:]) + x[-1]
    z = sg.dot(y, sg.constant(np.full((5, 3), -0.0, np.float32)) + 2)
    noise = sg.random.bernoulli(z.shape, 0.5)
    return sg.function([x, index], [z, noise], updates=[(total, total + sg.sum(z, axis=0))])


def test_plans_come_from_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMGRAPH_CACHE", str(tmp_path / "cache"))
    x, index = np.random.default_rng(0).random((4, 5), np.float32), np.array([0, 9, 3, 1], np.int32)

    def values(function: sg.Function) -> list[bytes]:
        sg.set_random_seed(1)
        results = [a.tobytes() for _ in range(2) for a in function(x, index)]
        with pytest.raises(sg.BoundsError, match=r"index 10 is out of bounds for axis 0 of size 10 .* embedding"):
            function(x, np.array([1, 10, 2, 3], np.int32))
        with pytest.raises(sg.ShapeError):
            function(x[:0], index[:0])
        return [*results, function.variables[0].get_value().tobytes()]

    made = a_function()
    with monkeypatch.context() as patch:
        patch.setattr("symgraph.ir.passes.optimize", never)
        patch.setattr("symgraph.codegen.compile.make_plan", never)
        found = a_function()
    assert print_plan(made.stages.plan) == print_plan(found.stages.plan)
    assert values(made) == values(found)
    assert made.explain() == found.explain()


def test_what_a_plan_depends_on() -> None:
    """Attributes, constants bit by bit, edges, origins, results, updates and options; but no run of the program."""

    def key(source: str, options: Options | None = None) -> str:
        graph = parse_graph(f"graph @g dims(N) {{\n{source}\n}}")
        return plan_key(graph, options or Options(target="llvm"))

    head = '%x = input[slot=0, label="x"] : f32[N]\n%y = input[slot=1, label="y"] : f32[N]\n'
    constants = [f"%c = constant[f32[1]{{{c}}}] : f32[1]\n%b = broadcast[shape=[N], axes=[0]] %c : f32[N]\n"
                 for c in ("0.0", "-0.0", "1.0")]  # fmt: skip
    sources = [
        head + "return %x", head + "return %y", head + "return %x, %y", head + "%0 = sub %x, %y : f32[N]\nreturn %0",
        head + "%0 = sub %y, %x : f32[N]\nreturn %0", head + "%0 = add %y, %x : f32[N]\nreturn %0",
        head.replace('"y"', '"z"') + "return %x", head.replace("f32", "f64") + "return %x",
        *(head + c + "%0 = mul %x, %b : f32[N]\nreturn %0" for c in constants),
    ]  # fmt: skip
    keys = [key(source) for source in sources]
    assert len(set(keys)) == len(sources)
    assert [key(source) for source in sources] == keys
    assert key(sources[0], Options(target="llvm", inexact=False)) not in keys


def test_nothing_foreign_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMGRAPH_CACHE", str(tmp_path / "cache"))
    store = Store(tmp_path / "cache")
    for foreign in (os.getcwd, subprocess.run, Path, np.zeros(3), np.float32(1)):
        store.write(KEY, HEADER, pickle.dumps((foreign, None, {})))
        assert load_plan(KEY) is None
    for broken in (b"", b"junk", pickle.dumps(3), b"csymgraph.codegen.cache\nos.getcwd\n(tR."):
        store.write(KEY, HEADER, broken)
        assert load_plan(KEY) is None


# -- looking at it ----------------------------------------------------------------------------------------------------


def test_the_command_shows_and_clears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cache"
    monkeypatch.setenv("SYMGRAPH_CACHE", str(folder))
    Store(folder).write(KEY, HEADER, np.zeros(1000).tobytes())
    size = next(folder.iterdir()).stat().st_size
    assert command.main(["cache"]) == 0
    assert capsys.readouterr().out == f"{folder}: 1 entries, {size} bytes, up to 256 MiB\n"
    assert command.main(["cache", "clear"]) == 0
    assert capsys.readouterr().out == f"{folder}: 1 entries removed\n"
    assert list(folder.iterdir()) == []
    monkeypatch.setenv("SYMGRAPH_CACHE", "off")
    assert command.main(["cache"]) == 0
    assert "no cache on disk" in capsys.readouterr().out


def test_a_hit_renews_an_old_entry(store: Store) -> None:
    store.write(KEY, HEADER, b"code")
    path = only_file(store)
    os.utime(path, (1e9, 1e9))
    assert store.read(KEY) is not None
    assert time.time() - path.stat().st_mtime < 3600
