"""What the last words of a server mean."""

import pytest

from sturdis.core import log_words


@pytest.mark.parametrize("words", [words for words, _meaning in log_words.WORDS])
def test_known_words_mean_something_that_can_be_done(words):
    sample = _sample(words)
    meaning = log_words.meaning(f"1:M * Server initialized\n{sample}\n")
    assert meaning is not None
    assert meaning.do


def _sample(pattern: str) -> str:
    """Make a line that a pattern's first alternative matches, of patterns as simple as ours."""
    return pattern.split("|", maxsplit=1)[0].replace("(?:command )?", "")


def test_unknown_words_are_shown_and_not_guessed_at():
    assert log_words.meaning("all is well\n") is None
