"""YAML as recipes use it: what JSON could say too, with the line of each part.

Scalars are those of YAML 1.2's core schema: ``16:9``, ``no`` and ``2026-01-01`` are texts,
as people who write them mean.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from typing_extensions import override
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_MOST_NODES = 100_000
_DEEPEST = 100
_MERGE = "<<"

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_PLAIN = "plain"
_TAGS = {_PLAIN, *(f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map"))}


class BadYaml(ValueError):
    """A text is not YAML, or says more than JSON could; it begins with the line."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a text says, and in which line each part of it begins, by its path."""

    value: object
    lines: Mapping[tuple[str | int, ...], int]


def read_yaml(text: str) -> Read:
    """Return what ``text`` says; anchors and ``<<`` may repeat what was said before.

    Raises:
        BadYaml: it is none, has a key twice, a tag, or a part that holds itself.
    """
    try:
        root = yaml.compose(text, Loader=_Plain)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        raise BadYaml(f"{at}: {error.problem or error.context}") from error
    except RecursionError as error:
        raise BadYaml("it is nested too deeply") from error
    except yaml.YAMLError as error:
        raise BadYaml(f"{error}".splitlines()[0]) from error
    if root is None:
        return Read(None, {})
    reader = _Reader()
    value = reader.read(root, ())
    return Read(value, reader.lines)


class _Plain(yaml.SafeLoader):
    """Tells scalars without quotes and tags from others, and resolves none by itself."""

    @override
    def resolve(self, kind: type[Node], value: Any, implicit: Any) -> Any:
        if kind is ScalarNode and implicit[0]:
            return _PLAIN
        return super().resolve(kind, value, (False, True))  # type: ignore[no-untyped-call]


@dataclass(slots=True)
class _Reader:
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)
    _inside: list[Node] = field(default_factory=list)
    _nodes: int = 0

    def read(self, node: Node, path: tuple[str | int, ...]) -> object:
        self.lines.setdefault(path, _line(node))
        self._nodes += 1
        if self._nodes > _MOST_NODES or len(self._inside) > _DEEPEST:
            raise BadYaml(f"line {_line(node)}: there is too much in it")
        if any(node is outer for outer in self._inside):
            raise BadYaml(f"line {_line(node)}: this part holds itself")
        if node.tag not in _TAGS:
            raise BadYaml(f"line {_line(node)}: {node.tag} has no meaning here")
        self._inside.append(node)
        try:
            return self._read(node, path)
        finally:
            self._inside.pop()

    def _read(self, node: Node, path: tuple[str | int, ...]) -> object:
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.read(part, (*path, n)) for n, part in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return _scalar(node)

    def _mapping(self, node: MappingNode, path: tuple[str | int, ...]) -> dict[str, object]:
        own: dict[str, object] = {}
        merged: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                raise BadYaml(f"line {_line(key_node)}: a key must be a text")
            key = str(key_node.value)
            if key == _MERGE and key_node.tag == _PLAIN:
                merged |= self._merged(value_node, path)
                continue
            if key in own:
                raise BadYaml(f"line {_line(key_node)}: {key} is there twice")
            self.lines[(*path, key)] = _line(key_node)
            own[key] = self.read(value_node, (*path, key))
        return merged | own

    def _merged(self, node: Node, path: tuple[str | int, ...]) -> dict[str, object]:
        parts = node.value if isinstance(node, SequenceNode) else [node]
        merged: dict[str, object] = {}
        for part in reversed(parts):
            value = self.read(part, path)
            if not isinstance(value, dict):
                raise BadYaml(f"line {_line(part)}: {_MERGE} needs keys to take over")
            merged |= value
        return merged


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _scalar(node: ScalarNode) -> object:
    """Return what a scalar means; in quotes it is a text."""
    text = str(node.value)
    if node.tag != _PLAIN:
        return text
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _INTEGER.fullmatch(text) and len(text) < 100:
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
