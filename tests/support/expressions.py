"""Every regular expression of the project, how it is used, and texts that are its worst case."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import app

# Nothing else takes an expression apart, and there are no stubs for it.
op: Any = importlib.import_module("re._constants")
parser: Any = importlib.import_module("re._parser")

METHODS = ("match", "fullmatch", "search", "sub", "findall", "finditer", "split")
PACKAGE = Path(app.__file__).parent


@dataclass(frozen=True)
class Expression:
    """A regular expression, and the methods that it is called with."""

    name: str
    pattern: re.Pattern[Any]
    methods: tuple[str, ...]


def expressions() -> list[Expression]:
    """Return all that modules hold, and all that are written where they are used."""
    found: dict[tuple[Any, int], Expression] = {}
    for info in pkgutil.walk_packages([str(PACKAGE)], "app."):
        if info.name == "app.__main__":
            continue
        module = importlib.import_module(info.name)
        path = Path(str(module.__file__))
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name, value in vars(module).items():
            for pattern in _patterns_in(value):
                methods = tuple(sorted(_methods_of(tree, name))) or METHODS
                key = (pattern.pattern, pattern.flags)
                if key not in found or methods != METHODS:
                    found[key] = Expression(f"{info.name}.{name}", pattern, methods)
        for line, method, pattern in _written_in_place(tree, vars(module)):
            found[pattern.pattern, pattern.flags] = Expression(
                f"{info.name}:{line}", pattern, (method,)
            )
    return sorted(found.values(), key=lambda each: each.name)


def pydantic_patterns() -> list[str]:
    """Return all expressions that are given to Pydantic, whose engine knows no backtracking."""
    found: set[str] = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        given = [
            keyword.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            for keyword in node.keywords
            if keyword.arg == "pattern"
        ]
        if given:
            name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
            names = vars(importlib.import_module(name))
            found |= {eval(ast.unparse(each), dict(names)) for each in given}  # noqa: S307
    return sorted(found)


def _patterns_in(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _patterns_in(key)
            yield from _patterns_in(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _patterns_in(inner)


def _methods_of(tree: ast.Module, name: str) -> set[str]:
    """Return the methods that a module calls of a name of its own."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        and node.attr in METHODS
    }


def _written_in_place(
    tree: ast.Module, names: dict[str, Any]
) -> Iterator[tuple[int, str, re.Pattern[Any]]]:
    """Yield the expressions in calls such as `re.sub("a", …)`."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in METHODS
        ):
            written = eval(ast.unparse(node.args[0]), dict(names))  # noqa: S307 - Our own source.
            yield node.lineno, node.func.attr, re.compile(written)


def worst_cases(pattern: re.Pattern[Any], length: int) -> Iterator[Any]:
    """Yield texts of about a length that make a backtracking expression try again and again.

    Each part of the expression is repeated: by itself, after what stands before it, and together
    with that; and in the end nothing fits.
    """
    is_text = isinstance(pattern.pattern, str)
    parsed = parser.parse(pattern.pattern if is_text else pattern.pattern.decode("latin1"))
    parts = {part for part in _parts(parsed, "") if part[1]}
    made = set()
    for prefix, part in parts:
        together = prefix + part
        for text in (part * length, prefix + part * length, together * length):
            made |= {text[:length], text[:length] + "\x00"}
    yield from sorted(made) if is_text else [text.encode("latin1", "replace") for text in made]


def _sample(parsed: Any) -> str:
    """Return a text that an expression matches, as short as may be but for what is optional."""
    return "".join(_sample_of(code, argument) for code, argument in parsed)


def _sample_of(code: Any, argument: Any) -> str:
    samples: dict[Any, Callable[[], str]] = {
        op.LITERAL: lambda: chr(argument),
        op.NOT_LITERAL: lambda: "a" if argument != ord("a") else "b",
        op.ANY: lambda: "a",
        op.IN: lambda: _of_class(argument),
        op.MAX_REPEAT: lambda: _sample(argument[2]) * max(1, argument[0]),
        op.MIN_REPEAT: lambda: _sample(argument[2]) * max(1, argument[0]),
        op.SUBPATTERN: lambda: _sample(argument[-1]),
        op.BRANCH: lambda: _sample(argument[1][0]),
    }
    return samples.get(code, str)()


def _of_class(members: Any) -> str:
    excluded = members[0][0] is op.NEGATE
    accepted = re.compile("[" + "".join(map(_written, members)) + "]")
    for candidate in [*map(chr, range(33, 127)), " ", "\n", "é", "的"]:
        if accepted.match(candidate):
            return candidate
    code, argument = members[1 if excluded else 0]
    return chr(argument[0]) if code is op.RANGE else chr(argument)


def _written(member: Any) -> str:
    code, argument = member
    if code is op.NEGATE:
        return "^"
    if code is op.LITERAL:
        return re.escape(chr(argument))
    if code is op.RANGE:
        return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
    classes = {
        op.CATEGORY_SPACE: r"\s", op.CATEGORY_NOT_SPACE: r"\S", op.CATEGORY_DIGIT: r"\d",
        op.CATEGORY_NOT_DIGIT: r"\D", op.CATEGORY_WORD: r"\w", op.CATEGORY_NOT_WORD: r"\W",
    }  # fmt: skip
    return classes[argument]


def _parts(parsed: Any, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield a sample of each part of an expression, and of what stands before it."""
    yield prefix, _sample(parsed)
    for code, argument in parsed:
        yield prefix, _sample_of(code, argument)
        for inner in _inner(code, argument):
            yield from _parts(inner, prefix)
        prefix += _sample_of(code, argument)


def _inner(code: Any, argument: Any) -> list[Any]:
    if code in (op.MAX_REPEAT, op.MIN_REPEAT):
        return [argument[2]]
    if code is op.SUBPATTERN:
        return [argument[-1]]
    if code is op.BRANCH:
        return list(argument[1])
    return []
