"""Connections prove by default that the server is the one they mean."""

from __future__ import annotations

import ssl

from billing_app.adapters.connections import RDS_CA_BUNDLE, tls_arguments


def test_without_a_word_of_the_secret_the_server_must_prove_its_name() -> None:
    assert tls_arguments({}) == {"sslmode": "verify-full", "sslrootcert": str(RDS_CA_BUNDLE)}
    assert tls_arguments({"sslmode": "prefer"})["sslmode"] == "prefer"


def test_the_bundle_holds_the_authorities_of_rds_and_of_its_proxy() -> None:
    authorities = ssl.create_default_context(cafile=RDS_CA_BUNDLE).get_ca_certs()
    names = [str(authority["subject"]) for authority in authorities]
    assert any("Amazon RDS eu-central-1 Root CA RSA2048 G1" in name for name in names)
    assert any("Amazon Root CA 1" in name for name in names)
