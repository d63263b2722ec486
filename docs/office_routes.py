"""The office's part of the page on HTTP, from its routers and the tables that stand above them.

Each room says of every route what it does, in the docstring of its router or of its module.
A route without a line, and a line without a route, stop the making of the page.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi.routing import APIRoute

from credentials.delegations import http as delegations
from credentials.legacy import http as legacy
from credentials.office import http as desk
from credentials.office.disputes import http as disputes
from credentials.office.http import bundles, changes
from credentials.office.seals import http as seals
from credentials.office.supervision import http as supervision
from credentials.office.types import http as types
from credentials.sources import http as sources
from yinxin.access import http as access
from yinxin.app.subjects import http as subjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

INTRO = (
    "What an agency's own systems and people ask of its office, at `office_url`. Every request carries an"
    " access token (`POST /v1/token`, with a registered key:"
    " [Issue at the desk](../how-to/issue-at-the-desk.md)), or comes from a page of the office with its"
    " session. Bodies and answers are JSON unless a line says otherwise; who may not do something hears 403,"
    " things of other agencies are not there (404), and the slower of two hears 409."
)
_LINE = re.compile(r"^\s*(GET|POST|PUT|DELETE)\s+(/\S+)\s+(\S.*)$", re.MULTILINE)


class Nobody:
    """Stands for everything that a router is made of: no route is asked."""

    def __getattr__(self, name: str) -> Any:
        return self

    def __call__(self, *_arguments: Any, **_options: Any) -> Any:
        """Itself."""
        return self


class Room(NamedTuple):
    """A heading, the function that makes the router, and how many services it takes by place."""

    title: str
    router: Callable[..., Any]
    services: int
    more: tuple[Any, ...] = ()
    """Modules whose tables belong to it too."""


ROOMS = (
    Room("Coming in", access.token_router, 1),
    Room("Cases and bundles", desk.router, 2, (desk.licences, bundles)),
    Room("What became of a licence", changes.router, 1),
    Room("Licence types", types.router, 1),
    Room("Corrections", sources.router, 1),
    Room("Events of subjects", subjects.router, 2),
    Room("Seals", seals.router, 2),
    Room("Guardians", delegations.guardian_router, 1),
    Room("Disputes and slips", disputes.office_router, 2),
    Room("Disputes and slips for departments and holders, at `verify_url`", disputes.public_router, 2),
    Room("Older registers", legacy.router, 2),
    Room("Supervision", supervision.router, 1),
)


def make() -> str:
    """The section; `ValueError` when tables and routes differ."""
    return "\n".join([f"## The office\n\n{INTRO}\n", *(_section(room) for room in ROOMS)])


def _section(room: Room) -> str:
    nobody = Nobody()
    names = inspect.signature(room.router).parameters.values()
    named = {one.name: nobody for one in names if one.kind is one.KEYWORD_ONLY and one.default is one.empty}
    router = room.router(*[nobody] * room.services, **named)
    said, lines = _table(room), []
    for method, route in _routes(router):
        key = (method, _plain(route.path))
        if key not in said:
            raise ValueError(f"no line says what {method} {route.path} does")
        lines.append(f"- `{method} {_shown(route)}`: {said.pop(key)}")
    if said:
        raise ValueError(f"{room.title}: these lines have no route: {sorted(said)}")
    return f"### {room.title}\n\n" + "\n".join(lines) + "\n"


def _routes(router: Any) -> Iterator[tuple[str, APIRoute]]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield from ((method, route) for method in sorted(route.methods))


def _table(room: Room) -> dict[tuple[str, str], str]:
    """What the room says of its routes: its router's own table, else that of the module."""
    own = _read(room.router.__doc__ or "")
    texts = [inspect.getmodule(room.router), *room.more]
    return own or {key: words for text in texts for key, words in _read(text.__doc__ or "").items()}


def _read(text: str) -> dict[tuple[str, str], str]:
    return {(method, _plain(path)): words.strip().rstrip(".") for method, path, words in _LINE.findall(text)}


def _plain(path: str) -> str:
    """A path without the names in it and without a query."""
    return re.sub(r"\{[^}]*\}", "{}", path.partition("?")[0])


def _shown(route: APIRoute) -> str:
    path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
    query: Mapping[str, Any] = {one.alias: one for one in route.dependant.query_params}
    return path + (f"?{'&'.join(f'{name}=' for name in query)}" if query else "")
