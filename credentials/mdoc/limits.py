"""What an mdoc is read under: its size and depth, and the tags of CBOR that stand in it."""

MAX_BYTES = 2 << 20  # a photograph travels inside
MAX_DEPTH = 24
ENCODED_CBOR, TDATE, FULL_DATE = 24, 0, 1004  # RFC 8949, 3.4; RFC 8943
TAGS = frozenset({ENCODED_CBOR, TDATE, FULL_DATE, 1})
MIN_RANDOM_BYTES = 16  # 9.1.2.5
