"""The bound in bytes, and which values are dropped."""

from f2hdr_backend.pictures.cache import BoundedCache


def test_the_least_recently_used_values_are_dropped_and_bytes_stay_below_the_limit():
    cache = BoundedCache(100, len)
    for key in range(3):
        cache.put(key, b"." * 40)
    assert cache.get(0) is None and cache.bytes == 80
    assert cache.get(1) is not None
    cache.put(3, b"." * 40)
    assert cache.get(2) is None and cache.get(1) is not None


def test_500_frames_stay_within_the_limit_and_a_larger_value_is_kept_alone():
    cache = BoundedCache(100, len)
    for key in range(500):
        cache.put(key % 250, b"." * 30)
        assert cache.bytes <= 100
    cache.put("large", b"." * 300)
    assert cache.keys() == ["large"] and cache.bytes == 300
