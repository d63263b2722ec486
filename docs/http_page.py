"""The page on HTTP, from the OpenAPI description that the services publish themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

METHODS = ("get", "post", "put", "patch", "delete")


def render(title: str, schema: Mapping[str, Any]) -> str:
    """A section for one service: each path with its parameters, body and answers."""
    parts = [f"## {title}\n"]
    for path, item in schema["paths"].items():
        for method in METHODS:
            if method in item:
                parts += _operation(method, path, item[method])
    return "\n".join(parts)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {method.upper()} {path}\n"
    text = operation.get("description") or operation.get("summary", "")
    yield f"{text.strip()}\n"
    lines = [
        f"- `{parameter['name']}` ({parameter['in']}{', required' if parameter.get('required') else ''})"
        f"{': ' + parameter['description'] if parameter.get('description') else ''}"
        for parameter in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {})
    lines += [f"- body `{kind}`{_schema(content)}" for kind, content in body.items()]
    lines += [
        f"- answers {status}: {answer.get('description', '')}{_kinds(answer)}"
        for status, answer in operation.get("responses", {}).items()
    ]
    yield "\n".join(lines) + "\n"


def _kinds(answer: Mapping[str, Any]) -> str:
    kinds = ", ".join(f"`{kind}`{_schema(content)}" for kind, content in answer.get("content", {}).items())
    return f" ({kinds})" if kinds else ""


def _schema(content: Mapping[str, Any]) -> str:
    reference = content.get("schema", {}).get("$ref", "")
    return f": {reference.rsplit('/', 1)[-1]}" if reference else ""


def make() -> str:
    """The page."""
    import ca.http
    from fastapi import FastAPI

    app = FastAPI()
    app.include_router(ca.http.router({}, {}, object()))
    return "# HTTP\n\n" + render("Certificates", app.openapi())
