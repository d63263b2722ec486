"""People at the pages: a citizen with a wallet, a clerk at a counter, each a visitor of `world.browser`.

They look for what is written on the pages, in their own language: the words come from the rooms' own lists
of texts, so that a page says the same to a test as to a person.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2

from world.browser import PICTURES
from yinxin.web.pages import Pages

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from credentials.oid4vci.offers import OpenOffer
    from world.browser import Visitor

ACCESS, WALLET, VERIFIER = Pages("yinxin.access.pages"), Pages("wallet.pages"), Pages("verify_api.pages")


@dataclass
class Person:
    """Somebody at one room's pages, at the address where it is served."""

    at: Visitor
    url: str
    room: Pages

    @property
    def page(self) -> Page:
        return self.at.page

    def t(self, key: str, *, room: Pages | None = None, **values: object) -> str:
        """A text of the room in this person's language."""
        text = (room or self.room).text(key).in_language(self.at.language)  # type: ignore[arg-type]
        return text.format(**values) if values else text

    def open(self, path: str = "/") -> Page:
        return self.at.open(self.url + path)

    def button(self, key: str, *, room: Pages | None = None) -> Locator:
        return self.page.get_by_role("button", name=self.t(key, room=room), exact=True)

    def press(self, key: str, *, room: Pages | None = None) -> None:
        self.button(key, room=room).first.click()

    def follow(self, key: str) -> None:
        self.page.get_by_role("link", name=self.t(key), exact=True).first.click()

    def reads(self, *texts: str) -> None:
        """These stand on the page, where people see them."""
        main = self.page.locator("main").inner_text()
        for text in texts:
            assert text in main, f"{text!r} is not in:\n{main}"

    def heading(self) -> str:
        return self.page.locator("h1").first.inner_text()

    def look(self, name: str) -> None:
        self.at.look(name)

    # Sign-in

    def register(self, name: str = "", *, code: str = "") -> None:
        """With the passkey of this person's device."""
        self.open("/register")
        self.page.locator("#name" if name else "#code").fill(name or code)
        self.press("register.button", room=ACCESS)
        self.page.wait_for_url(lambda url: "/register" not in url)

    def sign_in(self) -> None:
        self.open("/sign-in")
        self.press("sign_in.button", room=ACCESS)
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def sign_out(self) -> None:
        self.page.get_by_role("button", name=self.t("sign_out", room=ACCESS)).click()
        self.page.wait_for_url("**/sign-in*")

    # Paper

    def printed(self, name: str) -> str:
        """The page on paper: its text without line ends; a picture of its first sheet goes with the others.

        Chinese is in it only where the machine has a font for it.
        """
        document = pypdfium2.PdfDocument(io.BytesIO(self.page.pdf(format="A4", print_background=False)))
        text = "\n".join(sheet.get_textpage().get_text_bounded() for sheet in document)
        if folder := os.environ.get(PICTURES):
            sheet = document[0].render(scale=1.2).to_pil()
            sheet.save(Path(folder) / f"{name}-printed-{self.at.language}.png")
        document.close()
        return "".join(text.split())


class Citizen(Person):
    """Somebody with a wallet."""

    def receive(self, offer: OpenOffer, *, tx_code: str | None = None) -> None:
        """From the link to the wallet."""
        self.consider(offer.by_reference)
        self.accept(tx_code or offer.tx_code or "")

    def consider(self, link: str) -> None:
        self.open("/receive")
        self.page.locator("#link").fill(link)
        self.press("wallet.link.go_on")

    def accept(self, tx_code: str) -> None:
        self.page.locator("#tx_code").fill(tx_code)
        self.press("wallet.offer.accept")

    def present(self, link: str) -> None:
        """Open a verifier's link, as far as the page that asks."""
        self.open("/present")
        self.page.locator("#link").fill(link)
        self.press("wallet.link.go_on")

    def agree(self) -> None:
        self.press("wallet.consent.agree")
        self.page.wait_for_url("**/presented/*")

    def refuse(self) -> None:
        self.press("wallet.consent.refuse")
        self.page.wait_for_url("**/presented/*")


class Clerk(Person):
    """Somebody at a department's counter; without sign-in, anybody at the public page."""

    def hand_in(self, file: Path | bytes, *, name: str = "licence.pdf") -> None:
        """A file, on the public page or at the counter."""
        if isinstance(file, bytes):
            self.page.locator("#document").set_input_files(
                {"name": name, "mimeType": "application/pdf", "buffer": file}
            )
        else:
            self.page.locator("#document").set_input_files(file)
        self.press("file.button")

    def type_number(self, number: str) -> None:
        self.page.locator("#licence").fill(number)
        self.press("number.button")

    def verdict(self) -> str:
        """The one big answer: `passed`, `failed` or `indeterminate`."""
        classes = (self.page.locator(".verdict").first.get_attribute("class") or "").split()
        return classes[-1]

    def scan(self) -> None:
        """Open the camera."""
        self.press("camera.start")
