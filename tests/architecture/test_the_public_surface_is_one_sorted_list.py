"""What a user imports from `insitu` is one list; each name works, and there is nothing else."""

import pytest

import insitu


def test_the_list_is_sorted() -> None:
    assert insitu.__all__ == sorted(insitu.__all__)


@pytest.mark.parametrize("name", insitu.__all__)
def test_every_name_of_the_list_can_be_imported(name: str) -> None:
    assert getattr(insitu, name) is not None


def test_dir_shows_the_list() -> None:
    assert set(insitu.__all__) <= set(dir(insitu))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        insitu.no_such_name  # noqa: B018 - the access is the test
