"""The OpenAPI document is true: schemathesis asks by it, and only what it names comes back."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, checks
from world.departments import City

from verify_api.http import Limits
from verify_api.http.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDLESS = Limit("endless", 1_000_000, 1e9)
PLAIN = {
    "/v1/jwks",
    "/v1/report.schema.json",
    "/healthz",
    "/.well-known/oauth-authorization-server",
    "/v1/nonces",
    "/v1/verifications/{verification_id}",
}
# The long round has over 10,000 cases: YINXIN_CAMPAIGN=full.
EXAMPLES = 600 if os.environ.get("YINXIN_CAMPAIGN") == "full" else 25
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="session")
def open_city() -> Iterator[City]:
    """A city without rate limits."""
    made = City(limits=Limits(anonymous=ENDLESS, anonymous_all=ENDLESS, token=ENDLESS, department=ENDLESS))
    yield made
    made.close()


@pytest.fixture(scope="session")
def api(open_city: City) -> Any:
    host, port = open_city.address
    return schemathesis.openapi.from_url(f"http://{host}:{port}/openapi.json")


OPERATIONS = [
    ("POST", "/v1/token"),
    ("POST", "/v1/verifications"),
    ("POST", "/v1/nonces"),
    ("GET", "/v1/verifications/{verification_id}"),
    ("GET", "/v1/notices"),
    ("POST", "/v1/notices/{notice_id}/acknowledgement"),
    ("GET", "/v1/jwks"),
    ("GET", "/v1/report.schema.json"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/healthz"),
]
# Only these take what can be invalid.
CASES = [(*place, GenerationMode.POSITIVE) for place in OPERATIONS]
CASES += [(*place, GenerationMode.NEGATIVE) for place in OPERATIONS[:2]]
bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
)


def test_every_operation_is_tried_below(api: Any) -> None:
    found = {(one.ok().method.upper(), one.ok().path) for one in api.get_all_operations()}
    assert found == set(OPERATIONS)


@pytest.mark.parametrize("caller", ["anybody", "department"])
@pytest.mark.parametrize(
    ("method", "path", "mode"), CASES, ids=lambda value: str(getattr(value, "value", value))
)
def test_answers_keep_to_the_document(
    open_city: City,
    api: Any,
    method: str,
    path: str,
    caller: str,
    mode: GenerationMode,
) -> None:
    operation: Any = api[path][method]
    headers: dict[str, str] = {}
    if caller == "department":
        headers["Authorization"] = f"Bearer {open_city.token()}"

    @bounded
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        check(case, headers)

    ask()


def check(case: Any, headers: dict[str, str]) -> None:
    response = case.call(headers=headers)
    # That check sends its own requests without the header, which are answered as anybody's.
    excluded = [checks.ignored_auth] if headers else []
    if case.media_type == "multipart/form-data":  # everything is text there, so no number is wrong
        excluded.append(checks.negative_data_rejection)
    case.validate_response(response, headers=headers, excluded_checks=excluded)
    assert response.status_code < 500
    kind = response.headers["content-type"][0]
    if response.status_code >= 400 and case.operation.path != "/v1/token":
        assert kind == "application/problem+json"


def test_every_operation_is_described_in_both_languages(city: City) -> None:
    document = city.call("GET", "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert CHINESE.search(operation["summary"]), path
            assert re.search(r"[A-Za-z]{3}", operation["summary"]), path
            assert operation["responses"]["200"]["content"]
    security = document["paths"]["/v1/verifications"]["post"]["security"]
    assert security == [{}, {"department": ["verify"]}]
    assert document["components"]["securitySchemes"]["department"]["type"] == "oauth2"
