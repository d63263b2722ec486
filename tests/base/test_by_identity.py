"""Answers found by the very object: no other object ever gets them, and they do not pile up."""

from __future__ import annotations

from yinxin.base.by_identity import ByIdentity


def test_an_equal_object_is_another() -> None:
    kept: ByIdentity[str] = ByIdentity(2)
    about = ["a"]
    kept.keep(about, "answer")
    assert kept.find(about) == "answer"
    assert kept.find(["a"]) is None


def test_no_later_object_takes_the_place_of_one_that_went() -> None:
    """What is kept is kept alive, so its identity is not given away."""
    kept: ByIdentity[int] = ByIdentity(1000)
    for number in range(1000):
        kept.keep([number], number)
    assert all(kept.find([number]) is None for number in range(2000))


def test_no_more_than_the_limit() -> None:
    kept: ByIdentity[int] = ByIdentity(2)
    abouts = [[0], [1], [2]]
    for number, about in enumerate(abouts):
        kept.keep(about, number)
    assert [kept.find(about) for about in abouts] == [None, None, 2]
