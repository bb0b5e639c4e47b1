"""Currencies of ISO 4217 and the text of their amounts, without floats."""

from __future__ import annotations

import re

from billing_app.domain.limits import MAX_AMOUNT_MINOR

# By the digits behind the point, the "exponent". Funds and metals, in which nobody is billed,
# are left out.
_WITHOUT_CENTS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_WITH_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_WITH_CENTS = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL
HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT
MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB
SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH
USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
EXPONENT_OF = {
    **dict.fromkeys(_WITHOUT_CENTS.split(), 0),
    **dict.fromkeys(_WITH_CENTS.split(), 2),
    **dict.fromkeys(_WITH_THOUSANDTHS.split(), 3),
}

_AMOUNT = re.compile(r"(-?)(0|[1-9][0-9]{0,17})(?:\.([0-9]{1,18}))?")


class AmountError(ValueError):
    """The text is no amount; `code` says why and stays the same between releases."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def minor_units(*, text: str, exponent: int) -> int:
    """Read decimal text in major units ("51.40") as minor units (5140).

    Raises:
        AmountError: amount_invalid, amount_too_precise, amount_not_positive, amount_too_large.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise AmountError("amount_invalid")
    sign, whole, fraction = found[1], found[2], found[3] or ""
    if sign:
        raise AmountError("amount_not_positive")
    if len(fraction) > exponent:
        raise AmountError("amount_too_precise")
    return _within_bounds(int(whole + fraction.ljust(exponent, "0")))


def _within_bounds(amount_minor: int) -> int:
    if amount_minor == 0:
        raise AmountError("amount_not_positive")
    if amount_minor > MAX_AMOUNT_MINOR:
        raise AmountError("amount_too_large")
    return amount_minor


def major_text(*, amount_minor: int, exponent: int) -> str:
    """Write minor units (5140) as decimal text in major units ("51.40")."""
    sign = "-" if amount_minor < 0 else ""
    digits = str(abs(amount_minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else sign + digits
