"""placeholder"""
DEFAULT_IDENTITY = b"1234567812345678"
def check_point(point: bytes) -> None: ...
def verify(point: bytes, signature: bytes, message: bytes, identity: bytes) -> bool: return False
