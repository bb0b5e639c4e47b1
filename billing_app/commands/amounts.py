"""Money as people read it."""

from billing_app.domain.currencies import EXPONENT_OF, major_text


def money(amount_minor: int, currency: str) -> str:
    """Write minor units with their currency: 5140 and EUR as "51.40 EUR"."""
    exponent = EXPONENT_OF.get(currency, 0)
    return f"{major_text(amount_minor=amount_minor, exponent=exponent)} {currency}"
