"""Bytes that come in pieces, cut anywhere."""


def begun(data: bytes, word: bytes) -> int:
    """So many bytes at the end of the data are how a word begins that is not whole yet."""
    longest = min(len(word) - 1, len(data))
    return next((length for length in range(longest, 0, -1) if data.endswith(word[:length])), 0)
