"""The contract and the database have the limits of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from billing_app.domain import limits

ROOT = Path(__file__).parents[3]
CONTRACT = yaml.safe_load((ROOT / "terraform/modules/api/openapi.yaml").read_text("utf-8"))
MIGRATIONS = "\n".join(
    path.read_text("utf-8") for path in sorted((ROOT / "sql/migrations").glob("*.sql"))
)


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        ("provider_name_is_not_blank", limits.MAX_NAME_CHARS),
        ("resident_name_is_not_blank", limits.MAX_NAME_CHARS),
        ("apartment_address_is_not_blank", limits.MAX_ADDRESS_CHARS),
        ("bill_reference_is_not_blank", limits.MAX_REFERENCE_CHARS),
    ],
)
def test_the_database_has_the_limits_of_texts(rule: str, limit: int) -> None:
    check = re.search(rf"CONSTRAINT {rule}\s+CHECK \(.*char_length\(\w+\) <= (\d+)\)", MIGRATIONS)
    assert check is not None
    assert int(check[1]) == limit


def test_the_contract_has_the_limits_of_a_payment() -> None:
    fields = CONTRACT["components"]["schemas"]["PaymentRequest"]["properties"]
    assert fields["bills_id"]["maxItems"] == limits.MAX_BILLS
    assert fields["expected_total_minor"]["maximum"] == limits.MAX_TOTAL_MINOR


@pytest.mark.parametrize("schema", ["PasswordLogin", "NewPasswordLogin"])
def test_the_contract_has_the_limit_of_usernames(schema: str) -> None:
    fields = CONTRACT["components"]["schemas"][schema]["properties"]
    assert fields["username"]["maxLength"] == limits.MAX_USERNAME_CHARS
