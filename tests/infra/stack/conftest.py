"""Every test that asks for `templates` runs on each variant of the stack."""

import pytest

from tests.infra.stack.variants import VARIANTS


@pytest.fixture(params=VARIANTS)
def templates(request, synth):
    return synth(**VARIANTS[request.param])
