"""The trust list of an installation: a new one is taken when it is good, else the last good one goes on serving.

    trust_list = "https://trust.city.example/list.json"    # or a file
    trust_list_root = "trust-root.json"                    # compared by its fingerprint, brought once

The list and the roots that lead to it are kept in the home's folder `trust-list`, so that a restart neither
forgets them nor lets an older list in. Later roots lie beside the list, as `root-2.json` and so on.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from signing.trust_list import ServingList, TrustList, TrustRoot
from signing.trust_list.contents import LIST_TYPE
from signing.trust_list.envelope import MAX_BYTES
from signing.trust_list.roots import MAX_STEPS
from verify_api.documents import Snapshots
from yinxin.base.errors import Conflict, MalformedInput, NotFound, Unreachable, UsageError, YinxinError
from yinxin.base.files import READABLE, read_file, replace_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from yinxin.app.home import Home
    from yinxin.base.settings import Settings

    Answer = tuple[bytes, datetime]  # what an address answered, and when
    Get = Callable[[str, int], Answer]

FOLDER, LIST = "trust-list", "list.json"
_log = logging.getLogger("yinxin.trust_list")


class ListKeeper:
    """The list of one home. `take` looks for a newer one; `problem` says why the last look brought none.

    `get` asks an address; without it only files are read. With `writes` what was taken is kept for the next
    start.
    """

    def __init__(self, home: Home, get: Get | None = None, *, writes: bool = False) -> None:
        """Read what is kept; `UsageError` when the settings name a list and no root."""
        self._home, self._get, self._writes = home, get, writes
        self.problem = ""
        self._list: TrustList | None = None
        self._roots: dict[int, TrustRoot] = {}
        if self.is_wanted:
            self._start(_pinned(home.settings))

    @property
    def is_wanted(self) -> bool:
        """Whether the settings name a list."""
        return self._home.settings.trust_list is not None

    @property
    def serving(self) -> ServingList | None:
        """What verification goes by: None where the settings name no list."""
        if not self.is_wanted:
            return None
        # Who replaced the root may have had a reason not to trust the old keys any more.
        is_current = self._list is not None and self._list.root_version == self._root.version
        hours = self._home.settings.trust_list_grace_hours if is_current else 0
        return ServingList(self._list, timedelta(hours=hours))

    def take(self) -> ServingList | None:
        """Take newer roots and a newer list where there are; what serves from now on."""
        if not self.is_wanted:
            return None
        problem = ""
        # A damaged file or a bad root stands in no list's way.
        for step in (self._read_kept, self._follow_roots, self._take_list):
            try:
                step()
            except YinxinError as error:
                problem = f"{error.code}: {error.detail}"
        if problem and problem != self.problem and self._get is not None:
            _log.warning("the trust list was not taken: %s", problem)
        self.problem = problem
        return self.serving

    @property
    def _root(self) -> TrustRoot:
        return self._roots[max(self._roots)]

    def _start(self, pinned: TrustRoot) -> None:
        self._roots = {pinned.version: pinned}
        try:
            self._read_kept()
        except YinxinError as error:
            self.problem = f"{error.code}: {error.detail}"
            _log.warning("the kept trust list is not used: %s", self.problem)

    def _read_kept(self) -> None:
        """What lies in the folder: from before the start, or from another process that was faster."""
        folder = self._home.directory / FOLDER
        while (path := folder / _root_name(self._root.version + 1)).is_file():
            self._add(self._root.followed_by_one(read_file(path, limit=MAX_BYTES)))
        if not (folder / LIST).is_file():
            return
        envelope = read_file(folder / LIST, limit=MAX_BYTES)
        if self._list is not None and hashlib.sha256(envelope).hexdigest() == self._list.digest:
            return
        found = self._kept(envelope)
        if self._list is None or found.version > self._list.version:
            self._list = found

    def _kept(self, envelope: bytes) -> TrustList:
        """A list that was taken before; its signatures are counted again, its dates are not looked at."""
        found = TrustList.kept(envelope)
        root = self._roots.get(found.root_version)
        if root is None or root.name != found.name:
            raise MalformedInput("trust list", "its root is not at hand")
        root.require(envelope, LIST_TYPE)
        return found

    def _follow_roots(self) -> None:
        for _ in range(MAX_STEPS):
            number = self._root.version + 1
            try:
                envelope, _at = self._ask(_beside(self._place, _root_name(number)))
            except YinxinError:
                return  # there is no newer root, or none that can be had today
            self._add(self._root.followed_by_one(envelope))
            self._write(_root_name(number), envelope)

    def _take_list(self) -> None:
        envelope, at = self._ask(self._place)
        if self._list is not None and hashlib.sha256(envelope).hexdigest() == self._list.digest:
            return
        skew = self._home.policy.clock_skew
        self._list = TrustList.read(envelope, self._root, now=at, after=self._list, skew=skew)
        self._write(LIST, envelope)

    @property
    def _place(self) -> str:
        return str(self._home.settings.trust_list)

    def _ask(self, place: str) -> Answer:
        if not is_address(place):
            return read_file(self._home.directory / place, limit=MAX_BYTES), self._home.clock.now()
        if self._get is None:
            raise Unreachable("nothing is fetched here")
        return self._get(place, MAX_BYTES)

    def _add(self, root: TrustRoot) -> None:
        self._roots[root.version] = root

    def _write(self, name: str, envelope: bytes) -> None:
        if self._writes:
            folder = self._home.directory / FOLDER
            folder.mkdir(exist_ok=True)
            replace_file(folder / name, envelope, mode=READABLE)


def stands_on(home: Home) -> Snapshots:
    """What a command verifies with that fetches nothing: the home's folders, and the list as it was kept."""
    serving = ListKeeper(home).take()
    trust = home.trust.merged_with(serving.trust(home.clock.now())) if serving else home.trust
    issuers = home.credential_issuers if serving is None else None
    return Snapshots(trust, home.revocation, home.policy, issuers=issuers, trust_list=serving)


def serving_list(file: Path, root: Path, *, next_roots: tuple[Path, ...] = (), now: datetime) -> ServingList:
    """A list from files that somebody names, for one look; errors as for `TrustList.read`."""
    envelopes = [read_file(path, limit=MAX_BYTES) for path in next_roots]
    newest = TrustRoot.read(read_file(root, limit=MAX_BYTES)).followed_by(envelopes, now=now)
    return ServingList(TrustList.read(read_file(file, limit=MAX_BYTES), newest, now=now))


def is_address(place: str) -> bool:
    """Whether a list lies behind an address, and not in a file."""
    return place.startswith(("https://", "http://"))


def _pinned(settings: Settings) -> TrustRoot:
    if settings.trust_list_root is None:
        raise UsageError("trust_list needs trust_list_root: the root that was compared by its fingerprint")
    try:
        return TrustRoot.read(read_file(settings.trust_list_root, limit=MAX_BYTES))
    except (NotFound, Conflict) as exc:
        raise UsageError(f"trust_list_root: {exc.detail}") from exc


def _root_name(version: int) -> str:
    return f"root-{version}.json"


def _beside(place: str, name: str) -> str:
    """The file of this name in the same folder."""
    if is_address(place):
        return place.split("?", 1)[0].rsplit("/", 1)[0] + f"/{name}"
    return str(Path(place).parent / name)
