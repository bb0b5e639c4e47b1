"""Money as people read it."""

from billing_app.domain.currencies import EXPONENT_OF, major_text


def amount(amount_minor: int, currency: str) -> str:
    """Write minor units in major units: 5140 of EUR as "51.40"."""
    return major_text(amount_minor=amount_minor, exponent=EXPONENT_OF.get(currency, 0))


def money(amount_minor: int, currency: str) -> str:
    """Write minor units with their currency: 5140 and EUR as "51.40 EUR"."""
    return f"{amount(amount_minor, currency)} {currency}"
