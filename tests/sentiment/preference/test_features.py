import pytest

from sentiment.preference.features import encode, options

SCHEMA = {"hat": ["red", "blue"], "coat": ["none", "long"]}


def test_options_keep_the_order_of_the_schema() -> None:
    assert options(SCHEMA) == [("hat", "red"), ("hat", "blue"), ("coat", "none"), ("coat", "long")]


def test_a_work_has_a_one_at_each_of_its_values() -> None:
    works = [{"hat": "blue", "coat": "none"}, {"hat": "red", "coat": "long"}]

    assert encode(works, options(SCHEMA)).tolist() == [[0, 1, 1, 0], [1, 0, 0, 1]]


@pytest.mark.parametrize("work", [{"hat": "green", "coat": "none"}, {"hat": "red"}, {}])
def test_a_work_outside_the_schema_is_refused(work: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is not an option"):
        encode([work], options(SCHEMA))
