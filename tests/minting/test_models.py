from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from generation.models import Drop
from minting import services
from minting.models import Block, ChainTransaction, SalePhase, WeiField
from tests.fixtures.works import MakeDrop

UINT256 = st.integers(0, 2**256 - 1)


@given(UINT256, UINT256)
def test_stored_amounts_sort_like_numbers(a: int, b: int) -> None:
    field = WeiField()

    assert (str(field.get_prep_value(a)) < str(field.get_prep_value(b))) == (a < b)


@pytest.mark.django_db
@hypothesis_settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(UINT256)
def test_an_amount_is_read_back_exactly(make_drop: MakeDrop, amount: int) -> None:
    drop = Drop.objects.first() or make_drop(1)
    commitment = services.prepare_commitment(drop=drop)
    row = SalePhase.objects.create(
        commitment=commitment,
        number=commitment.phases.count(),
        kind=0,
        price_wei=amount,
        start=0,
        end=1,
        max_per_transaction=1,
        terms="0",
    )

    assert SalePhase.objects.get(pk=row.pk).price_wei == amount
    assert SalePhase.objects.filter(price_wei=amount).exists()


@pytest.mark.parametrize("amount", [-1, 2**256])
def test_an_amount_that_is_no_uint256_is_refused(amount: int) -> None:
    with pytest.raises(ValueError, match="uint256"):
        WeiField().get_prep_value(amount)


def test_a_chain_has_one_block_of_a_number(db: None) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    Block.objects.create(chain_id=1, number=7, hash="0xa", parent_hash="0x0", mined_at=at)

    with pytest.raises(IntegrityError), transaction.atomic():
        Block.objects.create(chain_id=1, number=7, hash="0xb", parent_hash="0x0", mined_at=at)
    Block.objects.create(chain_id=2, number=7, hash="0xb", parent_hash="0x0", mined_at=at)


def test_a_key_is_used_once_for_ever(make_drop: MakeDrop) -> None:
    intent = services.request_commit(drop=make_drop(1))
    ChainTransaction.objects.filter(pk=intent.pk).update(state=ChainTransaction.State.REVERTED)
    intent.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        intent.save(force_insert=True)
