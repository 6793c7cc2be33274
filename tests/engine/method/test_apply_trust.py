"""When a method's frame is blended, and when it is left."""

import numpy as np

from f2hdr_backend.engine.method.apply_trust import use_reference
from f2hdr_backend.engine.method.frame import HdrFrame
from f2hdr_backend.trust.published import trusted

SIZE = (16, 20)
RANDOM = np.random.default_rng(1)
CODES = [RANDOM.random((*SIZE, 3), np.float32) for _ in range(3)]
EXPOSURES = (8.0, 1.0, 8.0)
FRAME = HdrFrame(RANDOM.random((*SIZE, 3), np.float32), flows=np.zeros((2, *SIZE, 2), np.float32))


def test_off_returns_the_radiance_of_the_method():
    assert np.array_equal(use_reference(FRAME, CODES, EXPOSURES, "off").radiance, FRAME.radiance)


def test_hard_uses_the_reference_by_the_published_rule():
    blended = use_reference(FRAME, CODES, EXPOSURES, "hard").radiance
    used = trusted(CODES[1], 1.0)
    assert used.any() and not used.all()
    assert np.allclose(blended[used], CODES[1][used] ** 2.2, atol=1e-5)
    assert np.array_equal(blended[~used], FRAME.radiance[~used])


def test_soft_trust_is_not_applied_twice():
    done = HdrFrame(FRAME.radiance, flows=FRAME.flows, trusted=True)
    assert use_reference(done, CODES, EXPOSURES, "soft") is done
    assert use_reference(done, CODES, EXPOSURES, "hard") is not done
    assert not np.array_equal(use_reference(FRAME, CODES, EXPOSURES, "soft").radiance, FRAME.radiance)
