"""Every behaviour is asked of both kernels."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

from rowvault.codec import compiled, plain

# How fast a machine is decides no test.
settings.register_profile("kernel", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kernel")


@pytest.fixture(scope="session", params=[compiled, plain], ids=["compiled", "plain"])
def kernel(request: pytest.FixtureRequest) -> ModuleType:
    """The compiled kernel, then its plain twin."""
    return request.param
