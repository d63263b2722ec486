"""What an mdoc is read under: its size and depth, and the tags of CBOR that stand in it."""

from signing.cbor import ANY_TAG

MAX_BYTES = 2 << 20  # a photograph travels inside
MAX_DEPTH = 24
ENCODED_CBOR, TDATE, EPOCH, FULL_DATE = 24, 0, 1, 1004  # RFC 8949, 3.4; RFC 8943
LARGE, LARGE_NEGATIVE = 2, 3  # RFC 8949, 3.4.3
TAGS = ANY_TAG  # 8.1: an element is any CBOR; who reads a structure asks for the tags that it has
MIN_RANDOM_BYTES = 16  # 9.1.2.5
