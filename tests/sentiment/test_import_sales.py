"""Importing past sales: exact, whole or not at all, and once."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from sentiment.market.history import HistoryError, read_sales, read_traits
from sentiment.models import ReferenceSale

HEADER = "timestamp,token_id,price_eth,seller,buyer,block,tx\n"
SELLER, BUYER = "0x" + "ab" * 20, "0x" + "cd" * 20
ZERO = "0x" + "0" * 40
TX = "0x" + "12" * 32
GOOD = f"2020-12-31T23:54:20Z,17,1.000000000000000001,{SELLER},{BUYER},1,{TX}\n"
TRAITS = (
    "id, type, gender, skin tone, count, accessories\r\n17, Human, Male, , 2, Smile / Mohawk\r\n"
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(HEADER + GOOD)
    return path


def run(path: Path, **options: Any) -> str:
    out = StringIO()
    call_command("import_sales", path, source="test", stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def test_a_sale_is_stored_to_the_wei(file: Path) -> None:
    assert run(file) == "1 of 1 sales are new under test\n"

    sale = ReferenceSale.objects.get()
    assert sale.price_wei == 10**18 + 1
    assert sale.sold_at == datetime(2020, 12, 31, 23, 54, 20, tzinfo=UTC)
    assert (sale.token_ref, sale.seller.lower(), sale.buyer.lower()) == ("17", SELLER, BUYER)
    assert (sale.source, sale.source_row, sale.tx_hash) == ("test", 1, TX)


def test_a_second_run_adds_nothing(file: Path) -> None:
    run(file)

    assert run(file) == "0 of 1 sales are new under test\n"
    assert ReferenceSale.objects.count() == 1


def test_a_longer_file_adds_what_is_new(file: Path) -> None:
    run(file)
    file.write_text(HEADER + GOOD + GOOD)

    assert run(file) == "1 of 2 sales are new under test\n"


def test_a_file_that_says_otherwise_than_before_is_refused(file: Path) -> None:
    run(file)
    file.write_text(HEADER + GOOD.replace("1.000000000000000001", "2") + GOOD)

    with pytest.raises(CommandError, match="row 1: test has it with other values"):
        run(file)

    assert ReferenceSale.objects.get().price_wei == 10**18 + 1


@pytest.mark.parametrize("price", ["-", ""])
def test_a_price_that_is_not_there_is_unknown(file: Path, price: str) -> None:
    file.write_text(HEADER + GOOD.replace("1.000000000000000001", price))

    run(file)

    assert ReferenceSale.objects.get().price_wei is None


def test_a_price_of_zero_is_zero(file: Path) -> None:
    file.write_text(HEADER + GOOD.replace("1.000000000000000001", "0.0"))

    run(file)

    assert ReferenceSale.objects.get().price_wei == 0


def test_nobody_and_the_zero_address_are_unknown(file: Path) -> None:
    file.write_text(HEADER + GOOD.replace(SELLER, "").replace(BUYER, ZERO))

    run(file)

    sale = ReferenceSale.objects.get()
    assert (sale.seller, sale.buyer) == ("", "")


def test_traits_come_from_a_file_of_their_own(file: Path, tmp_path: Path) -> None:
    traits = tmp_path / "traits.csv"
    traits.write_text(TRAITS, newline="")

    run(file, traits=traits)

    assert ReferenceSale.objects.get().traits == {
        "type": "Human",
        "gender": "Male",
        "count": "2",
        "accessories": ["Smile", "Mohawk"],
    }


BAD = [
    (GOOD.replace("2020-12-31T23:54:20Z", "yesterday"), "no ISO 8601 time"),
    (GOOD.replace("20Z", "20"), "no time zone"),
    (GOOD.replace(",17,", ",,"), "token_id"),
    (GOOD.replace("1.000000000000000001", "1e3"), "price_eth"),
    (GOOD.replace("1.000000000000000001", "-1"), "price_eth"),
    (GOOD.replace("1.000000000000000001", "nan"), "price_eth"),
    (GOOD.replace("1.000000000000000001", "1.0000000000000000001"), "18 decimals"),
    (GOOD.replace("1.000000000000000001", "٣"), "price_eth"),
    (GOOD.replace(SELLER, "0x12"), "seller"),
    (GOOD.replace(BUYER, "alice"), "buyer"),
    (GOOD.replace(TX, "0x12"), "tx"),
    ("1,2,3\n", "3 fields, not 7"),
    ('"', "unexpected end"),
]


@pytest.mark.parametrize(("row", "reason"), BAD, ids=range(len(BAD)))
def test_a_bad_row_is_named_with_its_line_and_nothing_is_stored(
    file: Path, row: str, reason: str
) -> None:
    file.write_text(HEADER + GOOD + row)

    with pytest.raises(CommandError, match=f"(?s)nothing was imported.*line 3.*{reason}"):
        run(file)

    assert not ReferenceSale.objects.exists()


def test_the_first_twenty_errors_are_shown_and_the_others_counted(file: Path) -> None:
    file.write_text(HEADER + GOOD.replace(",17,", ",,") * 25)

    with pytest.raises(CommandError) as caught:
        run(file)

    lines = str(caught.value).splitlines()
    assert len(lines) == 1 + 20 + 1
    assert lines[1].startswith("line 2:")
    assert lines[-1] == "... and 5 more"


@pytest.mark.parametrize(
    "body", [b"", b"a,b\n1,2\n", HEADER.encode(), HEADER.encode() + b"\xff\xfe,\n", b"\0\0"]
)
def test_what_is_no_file_of_sales_is_refused(file: Path, body: bytes) -> None:
    file.write_bytes(body)

    with pytest.raises(CommandError, match="nothing was imported"):
        run(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nothing was imported"):
        run(tmp_path / "none.csv")


def test_a_token_without_traits_is_an_error() -> None:
    with pytest.raises(HistoryError, match="not in the file of traits"):
        read_sales([HEADER, GOOD], {})


def test_an_id_that_is_there_twice_is_an_error() -> None:
    with pytest.raises(HistoryError, match="line 3"):
        read_traits(["id,type\n", "1,A\n", "1,B\n"])


@given(st.text(max_size=200))
def test_no_text_whatever_is_more_than_refused(text: str) -> None:
    with pytest.raises(HistoryError):
        read_sales(StringIO(HEADER + text + "\n,,,"))
