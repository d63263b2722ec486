"""Elements of an mdoc as JSON has them (RFC 8949, 6.1): for queries, reports and the register.

Byte strings become base64url, tagged values what they hold, keys of maps texts. Nothing is lost silently: a
map whose keys would come out the same is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials.mdoc.structures import to_plain
from signing.base64url import encode_base64url
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from credentials.mdoc.items import Item


def elements_as_json(namespaces: Mapping[str, Iterable[Item]]) -> dict[str, dict[str, Any]]:
    """The elements by namespace and name; `MalformedInput` for a value that JSON cannot hold."""
    return {
        namespace: {name: value if type(value) is str else as_json(value) for _, name, value, _ in items}
        for namespace, items in namespaces.items()
    }


def as_json(value: Any) -> Any:
    """One element's value."""
    return _json(to_plain(value))


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return encode_base64url(value)
    if isinstance(value, list):
        return [_json(one) for one in value]
    if not isinstance(value, dict):
        return value
    answer = {str(name): _json(one) for name, one in value.items()}
    if len(answer) != len(value):
        raise MalformedInput("mdoc", "a map of an element has keys that are one in JSON")
    return answer
