"""Random texts: what they are made of, and what people do with them."""

from __future__ import annotations

from yinxin.base.randomness import UnsafeSeededRandomness, random_text


def test_no_random_text_can_be_taken_for_an_option() -> None:
    source = UnsafeSeededRandomness("dashes")
    assert not any(random_text(source, 6).startswith("-") for _ in range(2000))
