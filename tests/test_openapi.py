"""schemathesis asks every route what openapi.yml allows, and what it does not, and looks at the answers.

Only that all right data is accepted is not asked: a cursor, a zone or a field is a text, but not any.
"""

import os

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from conftest import CHECKOUT
from website import RICH, Site

pytest_plugins = ["website_fixtures"]

API = "/-/siphon/api"
OPENAPI = yaml.safe_load((CHECKOUT / "plugins" / "openapi.yml").read_text(encoding="utf-8"))
SOAK = bool(os.environ.get("SIPHON_SOAK"))
EXAMPLES = 400 if SOAK else 6  # of each route, right ones and wrong ones


@pytest.fixture(scope="module")
def described(website: Site) -> schemathesis.BaseSchema:
    # The first answer makes the server, for which a busy machine takes longer than schemathesis waits.
    assert website.get(f"{API}/openapi.json").status == 200
    return schemathesis.openapi.from_url(f"{website.url}{API}/openapi.json")


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        (path, mode)
        for path, told in OPENAPI["paths"].items()
        for mode in GenerationMode
        if mode.is_positive or told["get"].get("parameters")
    ],
)
def test_every_route_answers_as_it_is_described(
    described: schemathesis.BaseSchema, path: str, mode: GenerationMode
) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=not SOAK,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=described[path]["GET"].as_strategy(generation_mode=mode))
    def asked(case: schemathesis.Case) -> None:
        if "name" in case.path_parameters and mode.is_positive:
            case.path_parameters["name"] = RICH
        if mode.is_positive and "limit" in case.query and case.query.get("format") != "ndjson":
            case.query["limit"] = min(case.query["limit"], 200)  # of a page; more is for streams
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    asked()
