import pytest

from app.api.layers.compression import takes_gzip


@pytest.mark.parametrize(
    "header",
    ["gzip", "x-gzip", "deflate, gzip;q=1.0, *;q=0.5", "gzip ; q=0.001", "br,gzip", "gzip;a"],
)  # fmt: skip
def test_who_names_it_takes_it(header: str) -> None:
    assert takes_gzip(header)


@pytest.mark.parametrize(
    "header",
    ["", "identity", "*", "br", "gzip;q=0", "gzip; Q=0.000", "br, gzip ; q = 0", "gzippy", "GZIP"],
)  # fmt: skip
def test_who_does_not_or_weighs_it_with_nought_does_not(header: str) -> None:
    assert not takes_gzip(header)
