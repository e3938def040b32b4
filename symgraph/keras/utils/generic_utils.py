"""Small helpers that the whole front shares: names to objects and back, lists, arguments."""

from __future__ import annotations

import codecs
import difflib
import inspect
import marshal
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .progbar import Progbar
from .safe_mode import check_code, note_own_code

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "check_for_unexpected_keys",
    "custom_object_scope",
    "deserialize_keras_object",
    "func_dump",
    "func_load",
    "get_custom_objects",
    "getargspec",
    "has_arg",
    "is_all_none",
    "object_list_uid",
    "serialize_keras_object",
    "slice_arrays",
    "to_list",
    "transpose_shape",
    "unpack_singleton",
]

_TOOLS = ("typing", "collections.abc", ".generic_utils", "__future__")
_custom_objects: dict[str, Any] = {}  # the registry that CustomObjectScope and get_custom_objects give access to


class CustomObjectScope:
    """Inside ``with CustomObjectScope({'name': obj}, ...)`` the names resolve to the objects."""

    def __init__(self, *args: Mapping[str, Any]) -> None:
        self.custom_objects = args
        self.backup: dict[str, Any] = {}

    def __enter__(self) -> CustomObjectScope:
        self.backup = dict(_custom_objects)
        for objects in self.custom_objects:
            _custom_objects.update(objects)
        return self

    def __exit__(self, *args: object, **kwargs: object) -> None:
        _custom_objects.clear()
        _custom_objects.update(self.backup)


def custom_object_scope(*args: Mapping[str, Any]) -> CustomObjectScope:
    """A scope in which custom objects are known by name."""
    return CustomObjectScope(*args)


def get_custom_objects() -> dict[str, Any]:
    """The dictionary of custom objects; change it to register some for good."""
    return _custom_objects


def serialize_keras_object(instance: Any) -> Any:
    """``{'class_name': ..., 'config': ...}`` of an object with a config, the name of a function, None of None."""
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        return {"class_name": type(instance).__name__, "config": instance.get_config()}
    if hasattr(instance, "__name__"):
        return instance.__name__
    raise ValueError("Cannot serialize", instance)


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object that a name or a ``{'class_name', 'config'}`` dictionary stands for.

    Raises:
        ValueError: for what is unknown or of another form.
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        if not isinstance(identifier.get("class_name"), str) or "config" not in identifier:
            raise ValueError("Improper config format: " + str(identifier))
        name, config = identifier["class_name"], identifier["config"]
        cls = look_up(name, module_objects, custom_objects)
        if cls is None:
            raise ValueError(f"Unknown {printable_module_name}: {name}{_hint(name, module_objects, own=True)}")
        with CustomObjectScope(custom_objects or {}):
            if not hasattr(cls, "from_config"):
                return cls(**config)
            if has_arg(cls.from_config, "custom_objects"):
                return cls.from_config(config, custom_objects={**_custom_objects, **(custom_objects or {})})
            return cls.from_config(config)
    if isinstance(identifier, str):
        found = look_up(identifier, module_objects, custom_objects)
        if found is None:
            raise ValueError(f"Unknown {printable_module_name}:{identifier}{_hint(identifier, module_objects)}")
        return found() if inspect.isclass(found) else found
    raise ValueError("Could not interpret serialized object: " + str(identifier))


def look_up(name: str, module_objects: Mapping[str, Any] | None, custom_objects: Mapping[str, Any] | None) -> Any:
    """What a name in a config stands for: a custom object, or one of a module; None for neither."""
    for place in (custom_objects, _custom_objects):
        if place and name in place:
            return place[name]
    found = module_objects.get(name) if module_objects and not name.startswith("_") else None
    # A module's names hold its tools too; a config names objects of Keras only.
    tool = inspect.ismodule(found) or getattr(found, "__module__", "").endswith(_TOOLS) or not callable(found)
    return None if tool or name in ("deserialize", "get", "serialize") else found


def _hint(name: str, module_objects: Mapping[str, Any] | None, own: bool = False) -> str:
    """What may have been meant by an unknown name."""
    known = [k for k in module_objects or {} if look_up(k, module_objects, None) is not None]
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f". Did you mean {near[0]!r}?"
    return f". Where it is a class of yours, give custom_objects={{{name!r}: {name}}}" if own else ""


def func_dump(func: Any) -> tuple[str, Any, Any]:
    """Code (marshalled, base64), defaults and closure of a function."""
    code = codecs.encode(marshal.dumps(func.__code__), "base64").decode("ascii")
    note_own_code(code)
    closure = tuple(c.cell_contents for c in func.__closure__) if func.__closure__ else None
    return code, func.__defaults__, closure


def func_load(code: Any, defaults: Any = None, closure: Any = None, globs: Any = None) -> Any:
    """The function that :func:`func_dump` took apart, in this process or in one that is trusted."""
    if isinstance(code, (tuple, list)):
        code, defaults, closure = code
        defaults = tuple(defaults) if isinstance(defaults, list) else defaults
    cells = (
        None if closure is None else tuple(c if isinstance(c, types.CellType) else types.CellType(c) for c in closure)
    )
    check_code(code, "function")
    raw = marshal.loads(codecs.decode(code.encode("ascii"), "base64"))
    return types.FunctionType(
        raw, globals() if globs is None else globs, name=raw.co_name, argdefs=defaults, closure=cells
    )


def getargspec(fn: Any) -> inspect.FullArgSpec:
    """The names and defaults of a function's arguments."""
    return inspect.getfullargspec(fn)


def has_arg(fn: Any, name: str, accept_all: bool = False) -> bool:
    """Whether ``fn`` takes ``name`` by keyword (with ``accept_all``: also through ``**kwargs``)."""
    parameters = inspect.signature(fn).parameters
    if name in parameters:
        return parameters[name].kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return accept_all and any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())


def to_list(x: Any, allow_tuple: bool = False) -> list[Any]:
    """``x`` if it is a list, else a list of it (with ``allow_tuple``: a tuple's elements)."""
    if isinstance(x, list):
        return x
    return list(x) if allow_tuple and isinstance(x, tuple) else [x]


def unpack_singleton(x: Any) -> Any:
    """The element of a sequence of one, else ``x``."""
    return x[0] if len(x) == 1 else x


def object_list_uid(object_list: Any) -> str:
    """A key for a list of objects, by identity."""
    return ", ".join(str(abs(id(x))) for x in to_list(object_list))


def is_all_none(iterable_or_element: Any) -> bool:
    """Whether there is nothing but None."""
    return all(e is None for e in to_list(iterable_or_element, allow_tuple=True))


def slice_arrays(arrays: Any, start: Any = None, stop: Any = None) -> Any:
    """Rows ``start:stop``, or the rows that the list ``start`` names, of each array (None stays None)."""
    if arrays is None:
        return [None]
    if isinstance(start, list) and stop is not None:
        raise ValueError("The stop argument has to be None if the value of start is a list.")
    if hasattr(start, "__len__"):
        rows = start.tolist() if hasattr(start, "shape") else start
    elif start is None and not isinstance(arrays, list):
        return [None]
    else:
        rows = slice(start, stop)
    if isinstance(arrays, list):
        return [None if a is None else a[rows] for a in arrays]
    return arrays[rows]


def transpose_shape(shape: Sequence[Any], target_format: str, spatial_axes: Iterable[int]) -> tuple[Any, ...]:
    """A ``channels_last`` shape as ``target_format`` has it."""
    if target_format == "channels_first":
        axes = list(spatial_axes)
        return (*shape[: axes[0]], shape[-1], *(shape[i] for i in axes))
    if target_format == "channels_last":
        return tuple(shape)
    raise ValueError(
        'The `data_format` argument must be one of "channels_first", "channels_last". Received: ' + str(target_format)
    )


def check_for_unexpected_keys(name: str, input_dict: Mapping[str, Any], expected_values: Iterable[str]) -> None:
    """Raise a ValueError that lists the keys that are not expected."""
    expected = list(expected_values)
    unknown = set(input_dict).difference(expected)
    if unknown:
        raise ValueError(
            f"Unknown entries in {name} dictionary: {list(unknown)}. Only expected following keys: {expected}"
        )
