"""Pages of the Python interface, one for each package, from signatures and docstrings.

Ours are written as Markdown for people, so they are laid out as they stand. Only what a module itself
defines and names without a leading underscore is shown.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

PACKAGES = ("signing", "ca", "credentials", "wallet", "verify_api", "yinxin.base")
HIDDEN = ("migrations", "records", "__main__")


def make(root: Path) -> dict[str, str]:
    """Each page's name below `docs/reference` with its text."""
    return {f"api/{package}.md": _page(package, root) for package in PACKAGES}


def import_all() -> None:
    """Import every module, so that every class of ours exists."""
    for package in (*PACKAGES, "yinxin.app"):
        list(_modules(package))


def _page(package: str, root: Path) -> str:
    parts = [f"# {package}\n"]
    for module in _modules(package):
        path = str(module.__file__).removeprefix(str(root)).replace("\\", "/").lstrip("/")
        if module.__name__ != package:
            parts.append(f"## {module.__name__}\n\n`{path}`\n")
        parts += [_doc(module), *_members(module)]
    return "\n".join(part for part in parts if part)


def _modules(package: str) -> Iterator[ModuleType]:
    found = importlib.import_module(package)
    yield found
    for module in pkgutil.walk_packages(found.__path__, f"{package}."):
        if not any(part.startswith("_") or part in HIDDEN for part in module.name.split(".")):
            yield importlib.import_module(module.name)


def _members(module: ModuleType) -> Iterator[str]:
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            yield f"### {name}\n\n{_code(_class_line(name, value))}\n{_doc(value)}"
            yield from _methods(value)
        elif inspect.isfunction(value):
            yield f"### {name}()\n\n{_code(_signature(name, value))}\n{_doc(value)}"


def _methods(value: type) -> Iterator[str]:
    lines = []
    for name, member in vars(value).items():
        if name.startswith("_"):
            continue
        inner = getattr(member, "__func__", member)
        if isinstance(member, property):
            lines.append(f"- `{name}`: {_first(member.fget)}")
        elif inspect.isfunction(inner):
            lines.append(f"- `{_signature(name, inner)}`: {_first(inner)}")
    if lines:
        yield "\n".join(lines) + "\n"


def _class_line(name: str, value: type) -> str:
    bases = [base.__name__ for base in value.__bases__ if base is not object]
    line = f"class {name}({', '.join(bases)})" if bases else f"class {name}"
    kinds = vars(value).get("__annotations__", {})
    fields = [f"    {field}: {_kind(kind)}" for field, kind in kinds.items()]
    return "\n".join([line, *(field for field in fields if not field.lstrip().startswith("_"))])


def _kind(kind: object) -> str:
    return kind if isinstance(kind, str) else inspect.formatannotation(kind)


def _signature(name: str, value: object) -> str:
    try:
        text = str(inspect.signature(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return f"{name}(…)"
    return name + text.replace("(self, ", "(").replace("(self)", "()").replace("(cls, ", "(").replace("'", "")


def _doc(value: object) -> str:
    """The docstring, with indented examples as code."""
    blocks = (inspect.getdoc(value) or "").split("\n\n")
    return "\n\n".join(_block(block) for block in blocks) + "\n"


def _block(block: str) -> str:
    lines = block.splitlines()
    if lines and all(line.startswith("    ") for line in lines):
        return _code("\n".join(line[4:] for line in lines)).rstrip()
    return block


def _first(value: object) -> str:
    return " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())


def _code(text: str) -> str:
    return f"```python\n{text}\n```\n"
