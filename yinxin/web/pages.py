"""A room's pages: its templates in its words, with the one look of all rooms around them.

    verify_api/pages/templates/*.html   {% extends "base.html" %}; Jinja2, everything escaped
    verify_api/pages/static/*           scripts and pictures; {{ static("scan.js") }} is their address
    verify_api/pages/texts.toml         the words; t("key", name=value) in templates

A name that a template uses and nobody gave is an error, not an empty place.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup, escape

from yinxin.base.errors import NotFound, UsageError
from yinxin.web.headers import page_headers
from yinxin.web.language import TAGS, in_other_language, language_of, remember_language
from yinxin.web.statics import PREFIX, StaticFile, read_files
from yinxin.web.texts import FILE, read_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from yinxin.base.text import Language, Text

_OURS = "yinxin.web"
SCOPE = "yinxin.pages"  # where a page's route leaves its room for those who tell what went wrong


class Pages:
    """The pages of one room, `Pages("verify_api.pages")`; made once, at import or when things are wired.

    Where it does not `remember`, a language that was chosen sets no cookie: the pages' own links carry it on.
    """

    def __init__(self, room: str, *, remember: bool = True) -> None:
        self.room = room
        self._remembers = remember
        places = {name: _place(name) for name in dict.fromkeys((room, _OURS))}
        self.texts: dict[str, Text] = {}
        for place in reversed(places.values()):
            self.texts |= read_texts(place / FILE)
        self._files = {name: read_files(place / "static") for name, place in places.items()}
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader([place / "templates" for place in places.values()]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.globals["static"] = self.static

    def answer(  # noqa: PLR0913 - a page's own facts, by name
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        camera: bool = False,
        signed_in: Any = None,
        form_targets: Collection[str] = (),
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """A page. `values` are what its template names; `signed_in` shows who is here, and the way out."""
        language = language_of(request)
        text = self.render(
            template, language, other=in_other_language(request), signed_in=signed_in, **values
        )
        sent = {**page_headers(camera=camera, form_targets=form_targets), "Content-Language": TAGS[language]}
        answer = HTMLResponse(text, status, {**sent, "Vary": "Accept-Language, Cookie", **(headers or {})})
        if self._remembers:
            remember_language(request, answer)
        return answer

    def render(
        self,
        template: str,
        language: Language,
        *,
        other: str | None = None,
        signed_in: Any = None,
        **values: Any,
    ) -> str:
        """The text of a page; `answer` is what routes use."""
        found = self._templates.get_template(template)
        return found.render(
            {
                "t": self._speaker(language),
                "say": lambda text: text.in_language(language),
                "lang": language,
                "tag": TAGS[language],
                "other": other,
                "signed_in": signed_in,
                **values,
            }
        )

    def router(self) -> APIRouter:
        """A router for pages: what goes wrong in its routes is told on a page of this room's look."""

        async def leave_pages(request: Request) -> None:
            request.scope[SCOPE] = self

        return APIRouter(include_in_schema=False, dependencies=[Depends(leave_pages)])

    def text(self, key: str) -> Text:
        """A text of this room, in both languages."""
        try:
            return self.texts[key]
        except KeyError as exc:
            raise UsageError(f"{self.room} has no text {key}") from exc

    def static(self, name: str) -> str:
        """The address of a file of this room, or of the common ones."""
        for room, files in self._files.items():
            if name in files:
                return f"{PREFIX}/{room}/{name}?v={files[name].digest}"
        raise UsageError(f"{self.room} has no file {name}")

    def static_routes(self) -> APIRouter:
        """The files of this room and the common ones."""
        routes = APIRouter(include_in_schema=False)
        for room, files in self._files.items():
            _add_files(routes, room, files)
        return routes

    def _speaker(self, language: Language) -> Callable[..., Markup]:
        def t(key: str, **values: object) -> Markup:
            return Markup(escape(self.text(key).in_language(language))).format(**values)  # noqa: S704 - escaped

        return t


def see_other(path: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """Go on to another page after a form (303), so that going back sends nothing twice."""
    return Response(status_code=303, headers={**page_headers(), "Location": path, **(headers or {})})


def pages_of(request: Request) -> Pages | None:
    """The room whose page was asked for, when a page is what the browser wants."""
    found = request.scope.get(SCOPE)
    return found if isinstance(found, Pages) and "text/html" in request.headers.get("accept", "") else None


def _add_files(routes: APIRouter, room: str, files: Mapping[str, StaticFile]) -> None:
    @routes.get(f"{PREFIX}/{room}/{{name}}", response_class=Response)
    async def static_file(request: Request, name: str) -> Response:
        found = files.get(name)
        if found is None:
            raise NotFound("no such file")
        is_named = request.query_params.get("v") == found.digest
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if is_named else "no-cache",
            "Content-Security-Policy": "default-src 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "ETag": f'"{found.digest}"',
            "X-Content-Type-Options": "nosniff",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(found.content, media_type=found.media_type, headers=headers)


def _place(room: str) -> Path:
    spec = importlib.util.find_spec(room)
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(f"{room} is no package")
    return Path(spec.submodule_search_locations[0])
