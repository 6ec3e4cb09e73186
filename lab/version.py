"""The version of a result: a short name that changes when what the result depends on changes.

A result depends on the code of the modules that make it and of all that these import, on files such as
weights, and on settings. Of code the syntax tree counts: comments, docstrings and formatting do not.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from .places import ROOT, WEIGHTS
from .toy import table

PACKAGE = "recompose"  # what the checkout is called in absolute imports
# A row of the table counts for those who name its model, so that a new row leaves all other results alone.
TABLE = "lab/toy/table.py"
LENGTH = 16


class Import(NamedTuple):
    """One import statement's module (as parts, from the checkout's top) and the names taken from it."""

    module: tuple[str, ...]
    names: tuple[str, ...]


@lru_cache(maxsize=1024)
def parsed(source: str) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(source)


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements after the docstring."""
    first = body[0] if body else None
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if documented and isinstance(first.value.value, str) else body


def written(value: object) -> str:
    """A syntax tree as text, the same in every version of Python: fields that are empty are left out."""
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    if not isinstance(value, ast.AST):
        return repr(value)
    fields = dict(ast.iter_fields(value))
    if isinstance(value, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        fields["body"] = without_docstring(value.body)
    kept = (f"{name}={written(field)}" for name, field in fields.items() if field not in (None, []))
    return f"{type(value).__name__}({','.join(kept)})"


@lru_cache(maxsize=1024)
def fingerprint(source: str) -> str:
    """Of what a file's code does."""
    return hashlib.sha256(written(parsed(source)).encode()).hexdigest()


def dotted(text: str) -> tuple[str, ...] | None:
    """The parts of an absolute module's name inside the checkout, None for any other module."""
    top, *rest = text.split(".")
    return tuple(rest) if top == PACKAGE else None


@lru_cache(maxsize=1024)
def imports(path: Path, source: str) -> tuple[Import, ...]:
    """All imports from the checkout in a file's text, inside functions too; `path` is relative to its top.

    `importlib.import_module("recompose...")` counts as one; a name that is put together when it runs cannot
    be followed.
    """
    return tuple(found for node in ast.walk(parsed(source)) for found in imports_in(node, path))


def imports_in(node: ast.AST, path: Path) -> Iterator[Import]:
    """The imports from the checkout of one node of a syntax tree."""
    if isinstance(node, ast.ImportFrom):
        names = tuple(alias.name for alias in node.names)
        module = tuple((node.module or "").split(".")) if node.module else ()
        if node.level:
            parents = path.parent.parts
            yield Import(parents[: len(parents) - node.level + 1] + module, names)
        elif (found := dotted(node.module or "")) is not None:
            yield Import(found, names)
    elif isinstance(node, ast.Import):
        for alias in node.names:
            if (found := dotted(alias.name)) is not None:
                yield Import(found, ())
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and (found := dotted(str(first.value))) is not None:
            yield Import(found, ())


def own_files(base: Path) -> Iterator[Path]:
    """The file of a module or package at a path without an ending; none where there is no such module."""
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if (ROOT / path).is_file():
            yield path


def files_of(module: tuple[str, ...]) -> Iterator[Path]:
    """The file of a module and of all packages around it."""
    for length in range(1, len(module) + 1):
        yield from own_files(Path(*module[:length]))


def imported(path: Path) -> set[Path]:
    """The checkout's files that a file imports itself."""
    found: set[Path] = set()
    for module, names in imports(path, (ROOT / path).read_text(encoding="utf-8")):
        found.update(files_of(module))
        for name in names:
            found.update(files_of((*module, name)))
    return found - {path}


def closure(modules: Iterable[str]) -> list[Path]:
    """The files of modules ("lab.toy.pipeline") and of all that they import, relative to the checkout."""
    waiting = [path for module in modules for path in files_of(tuple(module.split(".")))]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found and path.as_posix() != TABLE:
            found.add(path)
            waiting += imported(path)
    return sorted(found)


def version(
    modules: Iterable[str],
    models: Iterable[str] = (),
    files: Iterable[Path] = (),
    settings: object = None,
    weights: Path = WEIGHTS,
) -> str:
    """The version of what `modules` make with toy models (weights read from `weights`), files and settings.

    ValueError for a module that is not there. A file that is not there counts as such.
    """
    rows = [table.MODELS[name] for name in models]
    functions = [path for row in rows for path in (row.network, row.writer) if path]
    entries = [*modules, *(path.partition(":")[0] for path in functions)]
    for module in entries:
        if not list(own_files(Path(*module.split(".")))):
            raise ValueError(f"Expected a module as lab.toy.pipeline, got {module}; name one that is there.")
    digest = hashlib.sha256(json.dumps([settings, [(row.name, row.prefix) for row in rows]]).encode())
    for path in closure(entries):
        code = fingerprint((ROOT / path).read_text(encoding="utf-8"))
        digest.update(f"{path.as_posix()} {code}\n".encode())
    for file in [*files, *(file for row in rows for file in row.data_files(weights))]:
        content = file.read_bytes() if file.is_file() else b""
        digest.update(f"{file.name} {len(content) if file.is_file() else None}\n".encode() + content)
    return digest.hexdigest()[:LENGTH]
