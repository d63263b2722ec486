"""The page on HTTP, from the OpenAPI description that the services publish themselves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import office_routes
from fastapi import FastAPI

import ca.http
import credentials.delegations.http
import credentials.http
import verify_api.http
from credentials.catalogue import Catalogue
from credentials.office.types import http as types_http
from verify_api.http.forms import forms_router

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

METHODS = ("get", "post", "put", "patch", "delete")
URL = "https://verify.example.gov"
INTRO = (
    "What the services answer. Errors of `/v1` are problems of RFC 9457, with the codes of"
    " [this page](error-codes.md); OAuth, OCSP and time-stamps answer in their own forms."
)


def make() -> str:
    """The page: routes are described without any service behind them."""
    nobody = cast("Any", SimpleNamespace(url=URL))
    certificates, issuer = FastAPI(), FastAPI()
    certificates.include_router(ca.http.router({}, {}, nobody))
    issuer.include_router(credentials.http.router(nobody, url=URL))
    issuer.include_router(
        credentials.delegations.http.router(cast("Any", SimpleNamespace(delegations=nobody)))
    )
    issuer.include_router(types_http.metadata_router(Catalogue.load()))
    asking = cast("Any", SimpleNamespace(service=nobody))
    verification = verify_api.http.create_app(
        nobody, install_problems=lambda _: None, presentations=asking, notices=asking
    )
    verification.include_router(forms_router(asking, nobody))
    return "\n".join(
        [
            "# HTTP\n",
            f"{INTRO}\n",
            render("Verification", verification.openapi()),
            render("Certificates, revocation and time", certificates.openapi()),
            render("Status lists and delegations", issuer.openapi()),
            office_routes.make(),
        ]
    )


def render(title: str, schema: Mapping[str, Any]) -> str:
    """A section for one service: its paths, then the values that they take and give."""
    parts = [f"## {title}\n"]
    for path, item in schema["paths"].items():
        for method in METHODS:
            if method in item:
                parts += _operation(method, path, item[method])
    for name, value in schema.get("components", {}).get("schemas", {}).items():
        if value.get("properties") and "ValidationError" not in name:
            parts += [f"### {name}\n", f"{value['description']}\n" if value.get("description") else ""]
            parts.append("\n".join(_fields(value)) + "\n")
    return "\n".join(part for part in parts if part)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {method.upper()} {path}\n"
    text = operation.get("description") or operation.get("summary", "")
    yield f"{text.strip()}\n"
    lines = [
        f"- `{parameter['name']}` ({parameter['in']}{', required' if parameter.get('required') else ''})"
        f"{': ' + parameter['description'] if parameter.get('description') else ''}"
        for parameter in operation.get("parameters", ())
    ]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        lines.append(f"- body `{kind}`{_named(content)}")
        lines += [f"  {line}" for line in _fields(content.get("schema", {}))]
    answers: dict[str, list[str]] = {}
    for status, answer in sorted(operation.get("responses", {}).items()):
        answers.setdefault(_answer(answer), []).append(status)
    lines += [f"- answers {', '.join(statuses)}: {said}" for said, statuses in answers.items()]
    yield "\n".join(lines) + "\n"


def _answer(answer: Mapping[str, Any]) -> str:
    kinds = ", ".join(f"`{kind}`{_named(content)}" for kind, content in answer.get("content", {}).items())
    return kinds or answer.get("description", "nothing")


def _fields(schema: Mapping[str, Any]) -> list[str]:
    required = set(schema.get("required", ()))
    lines = [
        f"- `{name}` ({_type(value)}{', required' if name in required else ''})"
        f"{': ' + value['description'] if value.get('description') else ''}"
        for name, value in schema.get("properties", {}).items()
    ]
    for variant in schema.get("oneOf", ()):
        inner = _fields(variant)
        if inner:
            lines += [f"- {variant.get('title') or 'either'}", *(f"  {line}" for line in inner)]
    return lines


def _type(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        return str(value["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in value or "oneOf" in value:
        return " or ".join(_type(choice) for choice in value.get("anyOf") or value["oneOf"])
    if "enum" in value:
        return ", ".join(f"`{choice}`" for choice in value["enum"])
    if value.get("type") == "array":
        return f"list of {_type(value.get('items', {}))}"
    return str(value.get("format") or value.get("type", "any"))


def _named(content: Mapping[str, Any]) -> str:
    schema = content.get("schema", {})
    named = _type(schema) if {"$ref", "anyOf", "oneOf"} & set(schema) else ""
    return f": {named}" if named.replace("object", "").replace(" or ", "") else ""
