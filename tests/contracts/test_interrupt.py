"""Ctrl-C loses nothing: real signals at random moments, to each kind of work, in a process apart."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from signals import ANSWERS, RAISES

import ridgesplines as rs
from ridgesplines.interrupt import Deferral, asked, check, late, stoppable

#: Seconds within which work ends that is not in a foreign call, on machines as slow as those of a public service.
SOON = 3.0
SIGNALS = pytest.mark.parametrize("signals", [4, pytest.param(50, marks=pytest.mark.slow)])


def outcomes(names, signals):
    """For each work the trials, (what came, seconds from the signal to it); all works in one process."""
    command = [sys.executable, str(Path(__file__).parents[1] / "signals.py"), str(signals), *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for name in names:
        *trials, end = [rest for work, *rest in lines if work == name]
        assert end[0] == "the end"  # the interpreter is as it was: the work still runs
        assert len(trials) == signals
        yield name, trials


@SIGNALS
def test_the_best_so_far_is_the_answer(signals):
    for name, trials in outcomes(ANSWERS, signals):
        for came, after in trials:
            assert came in ("converged", "not converged", "interrupted"), (name, came, after)
            assert after < SOON, name
        if name != "a proof":
            assert any(came == "interrupted" for came, _ in trials), name


@SIGNALS
def test_what_needs_finished_fits_raises(signals):
    for name, trials in outcomes(RAISES, signals):
        for came, after in trials:
            late = came in ("finished", "evaluated") and after < 0.0
            assert came == "KeyboardInterrupt" or late, (name, came, after)
            assert after < SOON, name
        assert any(came == "KeyboardInterrupt" for came, _ in trials), name


def asked_once():
    with Deferral(answers=True):
        signal.raise_signal(signal.SIGINT)
        assert asked()
        assert late(time.perf_counter() + 100.0)
        check()  # nothing to return yet
        with stoppable():
            check()
        pytest.fail("the work was not ended")


def asked_twice():
    with Deferral(answers=True):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second signal did not end the work")


def asked_within():
    with Deferral():
        with Deferral(answers=True):
            signal.raise_signal(signal.SIGINT)
        check()
        pytest.fail("the outer guard wants no answer")


@pytest.mark.parametrize("work", [asked_once, asked_twice, asked_within])
def test_guards(work):
    with pytest.raises(KeyboardInterrupt):
        work()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not asked()


def test_the_outermost_guard_has_the_say():
    with Deferral(answers=True):
        with Deferral():
            signal.raise_signal(signal.SIGINT)
        assert asked()


def test_handlers_of_others_and_other_threads_are_left_alone():
    caught = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: caught.append(number))
    try:
        with Deferral():
            signal.raise_signal(signal.SIGINT)
            assert not asked()
    finally:
        signal.signal(signal.SIGINT, previous)
    assert caught == [signal.SIGINT]
    answers = []
    thread = threading.Thread(target=lambda: answers.append(rs.solve(rs.Problem([0, 1, 2, 3], [0, 0, 1, 3], 0.1))))
    thread.start()
    thread.join()
    assert answers[0].status == "converged"
