"""What a misspelt word may have been."""

from collections.abc import Collection


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Give the closest of `known` as a question, else all of them."""
    close = closest(word, known)
    return f'did you mean "{close}"?' if close else f"known here: {', '.join(known)}"


def closest(word: str, known: Collection[str]) -> str:
    """Give that of `known` which `word` may be a slip for; empty: none is near."""
    import difflib  # noqa: PLC0415  2 ms that only a slip pays

    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.6)), "")
