from dataclasses import dataclass

import pytest

from invoke_stack.compose.model import Service
from invoke_stack.database import provider
from invoke_stack.database.postgres import Postgres
from invoke_stack.errors import UsageError


@dataclass(frozen=True)
class Cockroach(Postgres):
    name: str = "cockroach"

    def recognises(self, service: Service) -> bool:
        return "cockroach" in service.image


def test_the_built_in_provider_is_found_by_image() -> None:
    assert provider.find(Service("db", image="postgres:16")).name == "postgres"


def test_a_configured_provider_comes_first() -> None:
    service = Service("db", image="cockroachdb/cockroach:v24")

    assert provider.find(service, [Cockroach()]) == Cockroach()


@pytest.mark.parametrize(
    "name",
    ["invoke_stack.database.postgres:Postgres", "invoke_stack.database.postgres.Postgres"],
)
def test_a_provider_can_be_named(name: str) -> None:
    assert provider.loaded([name]) == (Postgres(),)


@pytest.mark.parametrize("name", ["no.such.module:Thing", "os:nothing", "os:path", "!"])
def test_a_name_that_leads_to_no_provider_is_an_error(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        provider.loaded([name])

    assert caught.value.where == "stack.db.providers"


def test_an_image_that_nobody_knows_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(UsageError, match="no database provider for its image mysql:8") as caught:
        provider.find(Service("db", image="mysql:8"), [Cockroach()])

    assert "cockroach, postgres" in caught.value.hint
