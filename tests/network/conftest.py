from collections.abc import Iterator

import pytest

from tests.servers import Serve, serving


@pytest.fixture
def serve() -> Iterator[Serve]:
    with serving() as start:
        yield start
