"""The published SM2 signature (GB/T 32918.5-2017, A.2): what an engine has to get right first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing import der

if TYPE_CHECKING:
    from collections.abc import Callable

IDENTITY = b"1234567812345678"
MESSAGE = b"message digest"
POINT = bytes.fromhex(
    "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
_R = 0xF5A03B06_48D2C463_0EEAC513_E1BB81A1_5944DA38_27D5B741_43AC7EAC_EEE720B3
_S = 0xB1B6AA29_DF212FD8_763182BC_0D421CA1_BB9038FD_1F7F42D4_840B69C4_85BBC1AA
SIGNATURE = der.sequence(der.integer(_R), der.integer(_S))
# What must not verify: each number off by one.
WRONG = (
    der.sequence(der.integer(_R + 1), der.integer(_S)),
    der.sequence(der.integer(_R), der.integer(_S + 1)),
)


def is_given_by(verify: Callable[[bytes, bytes, bytes, bytes], bool]) -> bool:
    """Whether a function from (point, signature, message, identity) gives the published answer."""
    if not verify(POINT, SIGNATURE, MESSAGE, IDENTITY):
        return False
    return not any(verify(POINT, wrong, MESSAGE, IDENTITY) for wrong in WRONG)
