"""EC2's wire: forms that come in, and XML that goes out, by botocore's own model of both.

A request is what boto3's caller gave (``{"ClientToken": "…", "TagSpecifications": […]}``),
and an answer is what it gets. What the model does not know is refused, as EC2 does.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import botocore.session
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


class Refused(Exception):
    """EC2 says no: by a code, a sentence and an HTTP status."""

    def __init__(self, code: str, said: str, status: int = 400) -> None:
        super().__init__(f"{code}: {said}")
        self.code, self.said, self.status = code, said, status

    def document(self) -> bytes:
        """Return the body of the answer."""
        response = ET.Element("Response")
        error = ET.SubElement(ET.SubElement(response, "Errors"), "Error")
        ET.SubElement(error, "Code").text = self.code
        ET.SubElement(error, "Message").text = self.said
        ET.SubElement(response, "RequestID").text = str(uuid.uuid4())
        return _written(response)


@cache
def _service() -> ServiceModel:
    loader = botocore.session.get_session().get_component("data_loader")
    return ServiceModel(loader.load_service_model("ec2", "service-2"), "ec2")


def read_form(body: bytes) -> tuple[str, dict[str, str]]:
    """Return the action that a form asks for, and its fields."""
    fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
    fields.pop("Version", None)
    return fields.pop("Action", ""), fields


def read_request(action: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return a request as its caller said it.

    Raises:
        Refused: there is something in it that the action does not know.
    """
    left = dict(fields)
    found = _read(_operation(action).input_shape, "", left)
    if left:
        raise Refused(
            "UnknownParameter", f"The parameter {min(left)} is not recognized by {action}"
        )
    return found or {}


def write_answer(action: str, answer: Mapping[str, Any]) -> bytes:
    """Return the body of an answer."""
    response = ET.Element(f"{action}Response", xmlns=_NAMESPACE)
    ET.SubElement(response, "requestId").text = str(uuid.uuid4())
    shape = _operation(action).output_shape
    if shape is not None:
        _write_members(response, shape, answer)
    return _written(response)


def _operation(action: str) -> OperationModel:
    return _service().operation_model(action)


def _read(shape: Shape | None, prefix: str, left: dict[str, str]) -> Any:
    """Return what stands under a prefix, None for nothing; what is read is taken away."""
    if prefix and not any(f"{name}.".startswith(f"{prefix}.") for name in left):
        return None
    if isinstance(shape, StructureShape):
        found = {}
        for name, member in shape.members.items():
            value = _read(member, _joined(prefix, _queried(member, name)), left)
            if value is not None:
                found[name] = value
        return found or None
    if isinstance(shape, ListShape):
        values: list[Any] = []
        while (
            value := _read(shape.member, f"{prefix}.{len(values) + 1}", left)
        ) is not None:
            values.append(value)
        return values or None
    text = left.pop(prefix, None)
    return None if text is None or shape is None else _value(shape.type_name, text)


def _queried(member: Shape, name: str) -> str:
    said = member.serialization
    if "queryName" in said:
        return str(said["queryName"])
    plain = str(said.get("name", name))
    return plain[0].upper() + plain[1:]


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _value(kind: str, text: str) -> Any:
    match kind:
        case "boolean":
            return text == "true"
        case "integer" | "long":
            return int(text)
        case "double" | "float":
            return float(text)
        case _:
            return text


def _write_members(element: ET.Element, shape: Shape, value: Mapping[str, Any]) -> None:
    assert isinstance(shape, StructureShape), "answers are structures"
    for name in value:
        member = shape.members[name]  # what an action answers, the model knows
        if value[name] is not None:
            _write(
                element, str(member.serialization.get("name", name)), member, value[name]
            )


def _write(parent: ET.Element, name: str, shape: Shape, value: Any) -> None:
    element = ET.SubElement(parent, name)
    if isinstance(shape, StructureShape):
        _write_members(element, shape, value)
    elif isinstance(shape, ListShape):
        item = str(shape.member.serialization.get("name", "item"))
        for each in value:
            _write(element, item, shape.member, each)
    elif isinstance(value, bool):
        element.text = str(value).lower()
    elif isinstance(value, datetime):
        element.text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    else:
        element.text = str(value)


def _written(element: ET.Element) -> bytes:
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(element)
