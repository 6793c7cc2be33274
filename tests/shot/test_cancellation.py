"""Stopping computations between their parts, on other threads, and while a library computes."""

import threading

import pytest

from f2hdr_backend.shot.cancellation import abandonable, check_stop, stoppable, with_stop
from f2hdr_backend.shot.errors import Canceled


def test_a_stop_request_affects_only_its_own_context():
    request = threading.Event()
    with stoppable(request):
        check_stop()
        request.set()
        with pytest.raises(Canceled):
            check_stop()
        with stoppable(threading.Event()):
            check_stop()
    check_stop()


def test_a_wrapped_function_carries_the_stop_request_to_another_thread():
    request, seen = threading.Event(), []

    def work():
        try:
            check_stop()
            seen.append("went on")
        except Canceled:
            seen.append("stopped")

    request.set()
    with stoppable(request):
        functions = [with_stop(work), work]
    for function in functions:
        thread = threading.Thread(target=function)
        thread.start()
        thread.join()
    assert seen == ["stopped", "went on"]


def test_a_call_is_abandoned_while_it_computes():
    request, entered, end = threading.Event(), threading.Event(), threading.Event()

    def call():
        entered.set()
        request.set()
        end.wait()

    with stoppable(request), pytest.raises(Canceled):
        abandonable(call)
    assert entered.is_set()
    end.set()


def test_a_call_that_is_not_stopped_returns_its_value_or_raises_its_error():
    for context in (stoppable(threading.Event()), stoppable(threading.Event())):
        with context:
            assert abandonable(lambda: 7) == 7
            with pytest.raises(ZeroDivisionError):
                abandonable(lambda: 1 // 0)
    assert abandonable(lambda: 8) == 8
