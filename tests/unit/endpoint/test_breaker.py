"""The circuit breaker, with a clock in hand."""

from sirdab.endpoint.breaker import BreakerState, CircuitBreaker


class Bench:
    def __init__(self, jitter: float = 0.0) -> None:
        self.now = 100.0
        self.breaker = CircuitBreaker(
            threshold=3,
            first_delay=1.0,
            longest_delay=4.0,
            clock=lambda: self.now,
            jitter=lambda: jitter,
        )

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.record_failure()


def test_failures_in_a_row_open_it():
    bench = Bench()
    bench.fail(2)
    assert bench.breaker.allow()
    bench.fail()
    assert bench.breaker.state is BreakerState.OPEN
    assert not bench.breaker.allow()
    assert bench.breaker.retry_after == 1.0


def test_a_success_between_forgives():
    bench = Bench()
    bench.fail(2)
    bench.breaker.record_success()
    bench.fail(2)
    assert bench.breaker.state is BreakerState.CLOSED


def test_one_failure_may_be_enough():
    bench = Bench()
    bench.breaker.record_failure(trip=True)
    assert not bench.breaker.allow()


def test_after_the_delay_one_try_passes():
    bench = Bench()
    bench.fail(3)
    bench.now += 0.99
    assert not bench.breaker.allow()
    bench.now += 0.01
    assert bench.breaker.allow()
    assert bench.breaker.state is BreakerState.HALF_OPEN
    assert not bench.breaker.allow()


def test_a_try_that_never_reports_does_not_block_for_ever():
    bench = Bench()
    bench.fail(3)
    bench.now += 1
    assert bench.breaker.allow()
    bench.now += 1
    assert bench.breaker.allow()


def test_a_good_try_closes_it():
    bench = Bench()
    bench.fail(3)
    bench.now += 1
    assert bench.breaker.allow()
    bench.breaker.record_success()
    assert bench.breaker.state is BreakerState.CLOSED
    assert bench.breaker.retry_after == 0
    bench.fail(2)
    assert bench.breaker.allow()


def test_the_delay_doubles_up_to_its_limit_and_starts_anew_after_a_success():
    bench = Bench()
    bench.fail(3)
    delays: list[float] = []
    for _ in range(5):
        delays.append(bench.breaker.retry_after)
        bench.now += bench.breaker.retry_after
        assert bench.breaker.allow()
        bench.fail()
    assert delays == [1.0, 2.0, 4.0, 4.0, 4.0]
    bench.breaker.record_success()
    bench.fail(3)
    assert bench.breaker.retry_after == 1.0


def test_jitter_shortens_the_delay_by_up_to_a_half():
    bench = Bench(jitter=0.5)
    bench.fail(3)
    assert bench.breaker.retry_after == 0.75
