"""What is told of a spec that is refused."""

import pytest

from sturdis.core.errors import SpecError
from sturdis.core.spec import file as specfile


def problems(text: str) -> str:
    """Give the problems of `text`, one a line."""
    with pytest.raises(SpecError) as refusal:
        specfile.parse(text, source="x.yaml")
    assert refusal.value.code == "spec.invalid"
    assert refusal.value.exit_status == 2
    return refusal.value.why
