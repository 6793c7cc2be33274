"""Flows on disk: stored values, misses, eviction order, and processes that share a folder."""

import errno
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from f2hdr_backend.flow.cache import Contents, FlowCache, cache_folder, cache_limit, open_cache
from f2hdr_backend.shot.errors import ShotError

PLENTY = 10**9
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def key(name):
    return hashlib.sha256(str(name).encode()).hexdigest()


def payload(name, size=5000):
    return hashlib.shake_256(str(name).encode()).digest(size)


def files(folder):
    return sorted(path for path in Path(folder).rglob("*") if path.is_file())


def age(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


def codes(cache):
    return [notice.code for notice in cache.take_notices()]


@pytest.fixture
def cache(tmp_path):
    return FlowCache(tmp_path / "cache", PLENTY)


def test_a_stored_flow_is_found_by_another_cache_of_the_same_folder(cache, tmp_path):
    assert cache.get(key(1)) is None and not (tmp_path / "cache").exists()
    cache.put(key(1), payload(1))
    cache.put(key(2), b"")
    again = FlowCache(tmp_path / "cache", PLENTY)
    assert again.get(key(1)) == payload(1) and again.get(key(2)) == b"" and again.get(key(3)) is None
    assert codes(cache) == codes(again) == []


def test_a_flipped_bit_is_a_miss_and_the_file_is_removed(cache, tmp_path):
    cache.put(key(1), payload(1, 200))
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        assert cache.get(key(1)) is None
        assert not path.exists()
        assert codes(cache) == ["flow_cache_damaged"]
    path.write_bytes(whole)
    assert cache.get(key(1)) == payload(1, 200)


@pytest.mark.parametrize("spoil", [lambda whole: b"", lambda whole: whole[:-1], lambda whole: whole + b"\0"])
def test_a_file_of_the_wrong_length_is_a_miss(cache, tmp_path, spoil):
    cache.put(key(1), payload(1))
    (path,) = files(tmp_path)
    path.write_bytes(spoil(path.read_bytes()))
    assert cache.get(key(1)) is None and files(tmp_path) == []


def test_a_file_under_another_name_is_a_miss(cache, tmp_path):
    cache.put(key(1), payload(1))
    cache.put(key(2), payload(2))
    one, other = (next(path for path in files(tmp_path) if path.stem == key(name)) for name in (1, 2))
    one.write_bytes(other.read_bytes())
    assert cache.get(key(1)) is None and cache.get(key(2)) == payload(2)


def test_the_least_recently_used_flow_is_removed_first(tmp_path):
    cache = FlowCache(tmp_path, 60_000)
    for name in range(10):
        cache.put(key(name), payload(name))
    for path in files(tmp_path):
        age(path, 100 + next(name for name in range(10) if key(name) == path.stem))
    assert cache.get(key(9)) == payload(9)
    cache.put(key("new"), payload("new"))
    assert cache.get(key(8)) is None, "the oldest but one, for the oldest was just used"
    assert all(cache.get(key(name)) for name in (9, 0, 1, 2, "new"))


def test_the_size_limit_is_never_exceeded(tmp_path):
    limit = 40_000
    cache = FlowCache(tmp_path, limit)
    for name in range(100):
        cache.put(key(name), payload(name, 300 + 37 * name))
        assert sum(path.stat().st_size for path in files(tmp_path)) <= limit
        assert cache.get(key(name)) == payload(name, 300 + 37 * name)
    assert cache.contents().bytes > limit / 2


def test_a_flow_larger_than_the_limit_is_not_stored_and_reported(tmp_path):
    cache = FlowCache(tmp_path, 1000)
    cache.put(key(1), payload(1))
    assert files(tmp_path) == []
    (notice,) = cache.take_notices()
    assert "F2HDR_CACHE_SIZE" in notice.message


def test_with_a_limit_of_0_nothing_is_stored_or_found(tmp_path):
    FlowCache(tmp_path, PLENTY).put(key(1), payload(1))
    off = FlowCache(tmp_path, 0)
    off.put(key(2), payload(2))
    assert off.get(key(1)) is None and len(files(tmp_path)) == 1 and codes(off) == []


def test_temporary_files_of_killed_processes_are_removed_and_others_kept(tmp_path):
    cache = FlowCache(tmp_path, PLENTY)
    cache.put(key(1), payload(1))
    folder = files(tmp_path)[0].parent
    left, fresh = (folder / f".{key(name)}.flow.4711-0123456789abcdef.part" for name in "lf")
    left.write_bytes(b"half")
    fresh.write_bytes(b"half")
    age(left, 7200)
    FlowCache(tmp_path, PLENTY).put(key(2), payload(2))
    assert not left.exists() and fresh.exists()


def test_clear_removes_flows_and_nothing_else(cache, tmp_path):
    for name in range(3):
        cache.put(key(name), payload(name))
    size = cache.contents().bytes
    mine = [tmp_path / "cache" / "notes.txt", tmp_path / "cache" / "flows" / "my.flow", files(tmp_path)[0].parent / "x"]
    for path in mine:
        path.write_text("mine")
    assert cache.contents() == Contents(3, size) and size > 15_000
    assert cache.clear() == Contents(3, size)
    assert cache.contents() == Contents(0, 0)
    assert files(tmp_path) == sorted(mine)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files")
def test_a_full_disk_is_reported_once_and_leaves_no_partial_file(cache, tmp_path):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        for name in range(3):
            cache.put(key(name), payload(name))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    (notice,) = cache.take_notices()
    assert os.strerror(errno.EFBIG) in notice.message and "F2HDR_CACHE" in notice.message
    assert files(tmp_path) == []
    cache.put(key(1), payload(1))
    assert cache.get(key(1)) == payload(1) and codes(cache) == []


def test_a_cache_folder_that_is_a_file_is_reported(tmp_path):
    (tmp_path / "cache").write_text("not a folder")
    cache = FlowCache(tmp_path / "cache", PLENTY)
    assert cache.get(key(1)) is None
    cache.put(key(1), payload(1))
    assert codes(cache) == ["flow_cache"]
    assert cache.contents() == cache.clear() == Contents(0, 0)


STRANGER = """
import os, sys
from pathlib import Path
from f2hdr_backend.flow.cache import FlowCache
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
cache = FlowCache(Path(sys.argv[1]), 10**9)
found = cache.get(sys.argv[2])
cache.put(sys.argv[3], b"new")
print(len(found or b""), *[notice.code for notice in cache.take_notices()])
"""


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
@pytest.mark.parametrize(("mode", "found"), [(0o555, 5000), (0o000, 0)])
def test_a_cache_without_write_permission_is_reported_and_read_if_readable(mode, found, monkeypatch):
    """Seen by a user who is not allowed everything, as root would be."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        root = Path(name) / "cache"
        monkeypatch.setenv("F2HDR_CACHE_SHARED", "1")
        FlowCache(root, PLENTY).put(key(1), payload(1))
        folders = [root, root / "flows", files(root)[0].parent]
        for folder in reversed(folders):
            folder.chmod(mode)
        command = [sys.executable, "-c", STRANGER, str(root), key(1), key(2)]
        ran = subprocess.run(command, capture_output=True, text=True, env={**ENVIRONMENT, "F2HDR_CACHE_SHARED": "1"})
        for folder in folders:
            folder.chmod(0o755)
    assert ran.stdout.split() == [str(found), "flow_cache"], ran.stderr


SHARER = """
import hashlib, sys
from pathlib import Path
from f2hdr_backend.flow.cache import FlowCache
folder, limit, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
cache = FlowCache(folder, limit)
hits = wrong = 0
for number in range(rounds):
    name = str((number * 7 + seed * 3) % 40)
    key, payload = hashlib.sha256(name.encode()).hexdigest(), hashlib.shake_256(name.encode()).digest(4000)
    found = cache.get(key)
    hits += found is not None
    wrong += found is not None and found != payload
    if found is None or number % 5 == 0:
        cache.put(key, payload)
print(hits, wrong, *[notice.message for notice in cache.take_notices()])
"""


def sharers(folder, limit, rounds, count):
    command = [sys.executable, "-c", SHARER, str(folder), str(limit), str(rounds)]
    return [
        subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        for seed in range(count)
    ]


def test_simultaneous_writes_and_removals_never_give_wrong_data(tmp_path):
    limit = 100_000
    running = sharers(tmp_path, limit, 800, 4)
    most = 0
    while any(process.poll() is None for process in running):
        most = max(most, FlowCache(tmp_path, limit).contents().bytes)
        time.sleep(0.002)
    for process in running:
        hits, wrong, *said = process.communicate()[0].split()
        assert int(hits) > 50 and int(wrong) == 0 and said == []
    assert all(path.name.endswith(".flow") and not path.name.startswith(".") for path in files(tmp_path))
    assert 0 < most <= limit


def test_killed_processes_leave_a_cache_that_works(tmp_path):
    for wait in (0.0, 0.02, 0.05):
        FlowCache(tmp_path, 100_000).clear()
        running = sharers(tmp_path, 100_000, 10**6, 2)
        while FlowCache(tmp_path, 100_000).contents().flows < 5:
            time.sleep(0.001)
        time.sleep(wait)
        for process in running:
            process.kill()
            process.communicate()
    cache = FlowCache(tmp_path, 100_000)
    for number in range(40):
        found = cache.get(key(number))
        assert found is None or found == payload(number, 4000)
    cache.put(key("after"), payload("after"))
    assert cache.get(key("after")) == payload("after") and codes(cache) == []


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 20 * 10**9),
        ("20G", 20 * 10**9),
        ("1.5t", 1.5e12),
        ("512M", 512 * 10**6),
        ("64 ", 64),
        ("0", 0),
        ("8GB", 8e9),
    ],
)
def test_cache_sizes_are_parsed(monkeypatch, text, size):
    monkeypatch.setenv("F2HDR_CACHE_SIZE", text)
    assert cache_limit() == size


@pytest.mark.parametrize("text", ["many", "-1", "20X", "G", "1e9", "٣G"])
def test_an_invalid_cache_size_is_refused_in_one_sentence(monkeypatch, text):
    monkeypatch.setenv("F2HDR_CACHE_SIZE", text)
    with pytest.raises(ShotError, match="F2HDR_CACHE_SIZE"):
        open_cache()


def test_the_cache_folder_is_that_of_the_environment_or_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("F2HDR_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("F2HDR_CACHE", "~/flows")
    assert cache_folder() == Path.home() / "flows"
    monkeypatch.delenv("F2HDR_CACHE")
    assert "f2hdr" in str(cache_folder())


def test_flows_of_another_user_are_misses_unless_the_cache_is_declared_shared(tmp_path, monkeypatch):
    """A user who may write to the folder must not be able to change this user's pixels."""
    for user, shared in (("other", "0"), ("me", "0"), ("other", "1"), ("me", "1")):
        monkeypatch.setattr("platformdirs.user_data_path", lambda *_, name=user: tmp_path / name)
        monkeypatch.setenv("F2HDR_CACHE_SHARED", shared)
        cache = FlowCache(tmp_path / "cache", PLENTY)
        if user == "other":
            cache.put(key(shared), payload(shared))
        assert cache.get(key(shared)) == (payload(shared) if user == "other" or shared == "1" else None)
    assert (tmp_path / "me" / "cache.key").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes")
def test_a_pipe_in_the_cache_is_a_miss_and_does_not_block(tmp_path):
    cache = FlowCache(tmp_path, PLENTY)
    cache.put(key(1), payload(1))
    (path,) = files(tmp_path)
    path.unlink()
    os.mkfifo(path)
    assert cache.get(key(1)) is None


def test_a_file_larger_than_any_flow_is_a_miss_and_is_not_read(cache, tmp_path, monkeypatch):
    cache.put(key(1), payload(1, 8000))
    (path,) = files(tmp_path / "cache")
    monkeypatch.setenv("F2HDR_LIMITS", "pixels=999")  # as a file of many TB that another user wrote to a shared folder
    assert cache.get(key(1)) is None
    assert codes(cache) == ["flow_cache_damaged"] and not path.exists()
