"""How much is asked at most: once each, a few, in time, no faster than allowed, and no more after a refusal."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from operator import itemgetter
from random import Random

import pytest
from binance_leaks.environments import HOSTS, probes_for
from binance_leaks.model import Credential, Environment
from binance_leaks.verification import Cause, Verdict, Verification
from binance_leaks.verify.http_types import NoReply, Reply, Request
from binance_leaks.verify.rate_limit import Limits, Throttle
from binance_leaks.verify.responses import Outcome
from binance_leaks.verify.transport import UrllibTransport
from binance_leaks.verify.verifier import Verifier

from tests.binance.accounts import MAINNET, TESTNET, hmac_account
from tests.binance.exchange import Answer, Exchange
from tests.binance.server import serving
from tests.verify.credentials import credential, pair, value_of
from tests.verify.fakes import FakeClock, FakeTransport, SlowTransport

LIVE = Reply(status=200, body=json.dumps({"ipRestrict": False, "enableReading": True, "canTrade": True}).encode())


def error(status: int, code: int, **more: int) -> Reply:
    return Reply(status=status, body=json.dumps({"code": code}).encode(), **more)


@pytest.fixture
def rng() -> Random:
    return Random(1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_800_000_000.0)


def always(reply: Reply | NoReply) -> Callable[[Request], Reply | NoReply]:
    return lambda _: reply


def some(rng: Random, number: int, environment: Environment = Environment.MAINNET) -> list[Credential]:
    return [pair(hmac_account(rng), environment=environment) for _ in range(number)]


def verdicts(found: dict[str, Verification]) -> list[tuple[Verdict, Cause | None]]:
    return [(each.verdict, each.cause) for each in found.values()]


class TestOnce:
    def test_a_thousand_repeats_are_one_request(self, rng: Random, clock: FakeClock) -> None:
        transport = FakeTransport(always(LIVE), clock)
        account = hmac_account(rng)
        found = Verifier(transport, clock=clock).verify([pair(account)] * 1000)
        assert len(found) == 1
        assert len(transport.requests) == 1

    def test_so_are_a_thousand_calls(self, rng: Random, clock: FakeClock) -> None:
        transport = FakeTransport(always(LIVE), clock)
        verifier, asked = Verifier(transport, clock=clock), pair(hmac_account(rng))
        results = [verifier.verify([asked]) for _ in range(1000)]
        assert all(result == results[0] for result in results)
        assert len(transport.requests) == 1

    def test_the_order_is_that_of_the_credentials(self, rng: Random, clock: FakeClock) -> None:
        credentials = some(rng, 30)
        credentials[7] = credential(value_of(hmac_account(rng), key=False))
        found = Verifier(FakeTransport(always(LIVE), clock), clock=clock).verify(credentials)
        assert list(found) == [each.id for each in credentials]

    def test_progress_is_reported_for_each(self, rng: Random, clock: FakeClock) -> None:
        reported: list[tuple[int, int]] = []
        caller = threading.get_ident()

        def progress(done: int, total: int) -> None:
            assert threading.get_ident() == caller
            reported.append((done, total))

        Verifier(FakeTransport(always(LIVE), clock), clock=clock).verify(some(rng, 7), progress)
        assert reported == [(number, 7) for number in range(1, 8)]

    def test_nothing_to_ask(self, clock: FakeClock) -> None:
        transport = FakeTransport(always(LIVE), clock)
        verifier = Verifier(transport, clock=clock)
        assert verifier.verify([]) == {}
        assert verifier.announcement([]).startswith("Nothing is sent")
        assert transport.requests == []


class TestLimits:
    def test_so_many_credentials(self, rng: Random, clock: FakeClock) -> None:
        transport = FakeTransport(always(LIVE), clock)
        found = Verifier(transport, clock=clock, limits=Limits(credentials=3)).verify(some(rng, 5))
        assert verdicts(found) == [(Verdict.LIVE, None)] * 3 + [(Verdict.NOT_ASKED, Cause.BUDGET)] * 2
        assert len(transport.requests) == 3

    @pytest.mark.parametrize(
        ("requests", "verdict"), [(1, (Verdict.INCONCLUSIVE, Cause.BUDGET)), (3, (Verdict.NOT_FOUND, None))]
    )
    def test_so_many_requests_for_one(
        self, rng: Random, clock: FakeClock, requests: int, verdict: tuple[Verdict, Cause | None]
    ) -> None:
        transport = FakeTransport(always(error(401, -2008)), clock)
        limits = Limits(requests=requests)
        found = Verifier(transport, clock=clock, limits=limits).verify(some(rng, 1, Environment.UNKNOWN))
        assert len(transport.requests) == requests
        assert verdicts(found) == [verdict]

    def test_a_request_is_repeated_once_for_each_reason(self, rng: Random, clock: FakeClock) -> None:
        replies = iter([error(400, -1021), error(429, -1003, retry_after=1), LIVE])
        time_of_host = Reply(status=200, body=json.dumps({"serverTime": int(clock.now() * 1000)}).encode())
        transport = FakeTransport(
            lambda request: time_of_host if request.path.endswith("/time") else next(replies), clock
        )
        assert verdicts(Verifier(transport, clock=clock).verify(some(rng, 1))) == [(Verdict.LIVE, None)]

    def test_so_much_time(self, rng: Random, clock: FakeClock) -> None:
        transport = FakeTransport(always(LIVE), clock)
        limits = Limits(seconds=10, workers=1)
        found = Verifier(transport, clock=clock, limits=limits).verify(some(rng, 60, Environment.TESTNET))
        asked = [each for each in found.values() if each.verdict is Verdict.LIVE]
        assert 0 < len(asked) == len(transport.requests) < 60
        assert clock.monotonic() <= 10
        rest = [each for each in found.values() if each.verdict is not Verdict.LIVE]
        assert {(each.verdict, each.cause, each.host) for each in rest} == {(Verdict.INCONCLUSIVE, Cause.BUDGET, None)}

    def test_turns_are_evenly_spaced(self, rng: Random, clock: FakeClock) -> None:
        transport = FakeTransport(always(LIVE), clock)
        Verifier(transport, clock=clock, limits=Limits(workers=1)).verify(some(rng, 20, Environment.TESTNET))
        assert all(later - earlier >= 0.39 for earlier, later in pairwise(transport.moments))

    def test_what_others_spend_is_left_to_them(self, rng: Random, clock: FakeClock) -> None:
        reply = Reply(status=200, body=LIVE.body, used_weight=11_000)
        transport = FakeTransport(always(reply), clock)
        Verifier(transport, clock=clock, limits=Limits(workers=1)).verify(some(rng, 3))
        minutes = [int((1_800_000_000 + moment) // 60) for moment in transport.moments]
        assert len(set(minutes)) == 3


class TestAnyMinute:
    """The law: no minute has more than the allowed share of a host's weight, its first and last moment included."""

    def heaviest(self, transport: FakeTransport, weights: Mapping[tuple[str, str], int]) -> dict[str, int]:
        """The highest weight of each host in any minute, by the moments at which requests arrive."""
        arrived = sorted(zip(transport.moments, transport.requests, strict=True), key=itemgetter(0))
        most: dict[str, int] = {}
        for host in {request.host for request in transport.requests}:
            within: deque[tuple[float, int]] = deque()
            weight = 0
            for moment, request in arrived:
                if request.host != host:
                    continue
                within.append((moment, weights.get((host, request.path), 1)))
                weight += within[-1][1]
                while within[0][0] < moment - 60:
                    weight -= within.popleft()[1]
                most[host] = max(most.get(host, 0), weight)
        return most

    @pytest.mark.parametrize(("workers", "delay"), [(1, 0.0), (4, 0.0), (4, 9.0)])
    @pytest.mark.parametrize("environment", [each for each in Environment if probes_for(each, b"Zz")])
    def test_of_many_credentials(
        self, rng: Random, clock: FakeClock, workers: int, delay: float, environment: Environment
    ) -> None:
        weights = {(probe.host, probe.path): probe.weight for each in Environment for probe in each.facts.probes}
        limits = {probe.host: probe.limit for each in Environment for probe in each.facts.probes}

        def answer(_: Request) -> Reply:
            clock.sleep(rng.uniform(0, delay))
            return rng.choice([LIVE, LIVE, error(401, -2008), error(400, -1021), error(400, -1022)])

        transport = SlowTransport(answer, clock, lambda: rng.uniform(0, delay))
        share = 0.05  # so little that even the host with the highest limit reaches it
        bounds = Limits(workers=workers, credentials=300, seconds=1e9, share=share)
        found = Verifier(transport, clock=clock, limits=bounds).verify(some(rng, 300, environment))
        assert len(found) == 300
        assert len(transport.requests) > 300
        heaviest = self.heaviest(transport, weights)
        assert not {host: weight for host, weight in heaviest.items() if weight > limits[host] * share}

    def test_half_of_it_is_used(self, rng: Random, clock: FakeClock) -> None:
        """By hosts that answer at once, all that is allowed."""
        transport = FakeTransport(always(LIVE), clock)
        bounds = Limits(workers=1, credentials=300, seconds=1e9)
        Verifier(transport, clock=clock, limits=bounds).verify(some(rng, 300, Environment.TESTNET))
        assert self.heaviest(transport, {(TESTNET, "/api/v3/account"): 20}) == {TESTNET: 3000}

    def test_a_request_that_weighs_more_than_is_allowed_is_made(self, rng: Random, clock: FakeClock) -> None:
        transport = FakeTransport(always(LIVE), clock)
        bounds = Limits(workers=1, share=0.001, seconds=1e9)
        found = Verifier(transport, clock=clock, limits=bounds).verify(some(rng, 3, Environment.TESTNET))
        assert verdicts(found) == [(Verdict.LIVE, None)] * 3
        assert all(later - earlier > 60 for earlier, later in pairwise(transport.moments))

    def test_who_waits_for_a_request_that_is_under_way_is_not_refused(self, clock: FakeClock) -> None:
        (probe,) = probes_for(Environment.MAINNET, b"Zz")
        throttle = Throttle(clock, Limits(share=0.0001, seconds=1e9))
        throttle.begin()
        forbidden: list[Outcome | None] = []

        def wait() -> None:
            with throttle.turn(probe, probe.weight) as why:
                forbidden.append(why)

        waiting = threading.Thread(target=wait, daemon=True)
        with throttle.turn(probe, probe.weight) as first:
            waiting.start()
            while len(clock.slept) < 1000 and waiting.is_alive():
                time.sleep(0.001)
            assert forbidden == []
        waiting.join(60)
        assert [first, *forbidden] == [None, None]


class TestWaiting:
    def test_a_retry_after_is_obeyed_and_the_question_asked_again(self, rng: Random, clock: FakeClock) -> None:
        answers = iter([error(429, -1003, retry_after=7), LIVE])
        transport = FakeTransport(lambda _: next(answers), clock)
        found = Verifier(transport, clock=clock).verify(some(rng, 1))
        assert verdicts(found) == [(Verdict.LIVE, None)]
        assert transport.moments[1] - transport.moments[0] >= 7

    def test_without_one_it_is_a_minute(self, rng: Random, clock: FakeClock) -> None:
        answers = iter([error(400, -1003), LIVE])
        transport = FakeTransport(lambda _: next(answers), clock)
        Verifier(transport, clock=clock).verify(some(rng, 1))
        assert transport.moments[1] - transport.moments[0] >= 60

    def test_the_others_wait_too(self, rng: Random, clock: FakeClock) -> None:
        answers = iter([error(429, -1003, retry_after=30), *[LIVE] * 20])
        transport = FakeTransport(lambda _: next(answers), clock)
        found = Verifier(transport, clock=clock, limits=Limits(workers=1)).verify(some(rng, 5))
        assert set(verdicts(found)) == {(Verdict.LIVE, None)}
        assert all(moment >= 30 for moment in transport.moments[1:])

    def test_a_second_refusal_ends_it_for_this_host(self, rng: Random, clock: FakeClock) -> None:
        def answer(request: Request) -> Reply:
            return error(429, -1003, retry_after=1) if request.host == MAINNET else LIVE

        transport = FakeTransport(answer, clock)
        credentials = [*some(rng, 3), *some(rng, 1, Environment.TESTNET)]
        found = Verifier(transport, clock=clock, limits=Limits(workers=1)).verify(credentials)
        stopped = (Verdict.INCONCLUSIVE, Cause.STOPPED)
        assert verdicts(found) == [(Verdict.INCONCLUSIVE, Cause.RATE), stopped, stopped, (Verdict.LIVE, None)]
        assert [request.host for request in transport.requests] == [MAINNET, MAINNET, TESTNET]

    @pytest.mark.parametrize("seconds", [76, 86_400, 999_999_999])
    def test_a_long_wait_is_not_waited(self, rng: Random, clock: FakeClock, seconds: int) -> None:
        transport = FakeTransport(always(error(429, -1003, retry_after=seconds)), clock)
        found = Verifier(transport, clock=clock).verify(some(rng, 1))
        assert verdicts(found) == [(Verdict.INCONCLUSIVE, Cause.RATE)]
        assert len(transport.requests) == 1
        assert clock.monotonic() < 1


class TestStopping:
    @pytest.mark.parametrize(
        ("reply", "cause"),
        [(Reply(status=403, body=b"<html>"), Cause.FIREWALL), (error(418, -1003, retry_after=120), Cause.BANNED)],
    )
    def test_everything(self, rng: Random, clock: FakeClock, reply: Reply, cause: Cause) -> None:
        answers = iter([LIVE, reply])
        transport = FakeTransport(lambda _: next(answers), clock)
        credentials = [*some(rng, 4), *some(rng, 2, Environment.TESTNET)]
        found = Verifier(transport, clock=clock, limits=Limits(workers=1)).verify(credentials)
        stopped = (Verdict.INCONCLUSIVE, Cause.STOPPED)
        assert verdicts(found) == [(Verdict.LIVE, None), (Verdict.INCONCLUSIVE, cause), *[stopped] * 4]
        assert len(transport.requests) == 2
        last = list(found.values())[-1]
        assert cause.value in last.note
        assert (last.host, last.checked_at) == (None, None)

    def test_it_holds_for_later_calls(self, rng: Random, clock: FakeClock) -> None:
        transport = FakeTransport(always(Reply(status=403)), clock)
        verifier = Verifier(transport, clock=clock)
        verifier.verify(some(rng, 1))
        assert verdicts(verifier.verify(some(rng, 1))) == [(Verdict.INCONCLUSIVE, Cause.STOPPED)]
        assert len(transport.requests) == 1

    def test_with_several_at_a_time_only_those_under_way(self, rng: Random, clock: FakeClock) -> None:
        transport = FakeTransport(always(Reply(status=403)), clock)
        Verifier(transport, clock=clock, limits=Limits(workers=4)).verify(some(rng, 50))
        assert len(transport.requests) <= 4

    def test_a_refused_place_stops_that_host(self, rng: Random, clock: FakeClock) -> None:
        transport = FakeTransport(lambda request: Reply(status=451) if request.host == MAINNET else LIVE, clock)
        credentials = [*some(rng, 3), *some(rng, 2, Environment.TESTNET)]
        found = Verifier(transport, clock=clock, limits=Limits(workers=1)).verify(credentials)
        assert [each.verdict for each in found.values()] == [Verdict.INCONCLUSIVE] * 3 + [Verdict.LIVE] * 2
        assert [request.host for request in transport.requests] == [MAINNET, TESTNET, TESTNET]

    @pytest.mark.parametrize("reply", [NoReply.TIMED_OUT, Reply(status=502), Reply(status=200, body=b"<html>")])
    def test_a_host_that_fails_again_and_again(self, rng: Random, clock: FakeClock, reply: Reply | NoReply) -> None:
        transport = FakeTransport(always(reply), clock)
        found = Verifier(transport, clock=clock, limits=Limits(workers=1)).verify(some(rng, 50))
        assert len(transport.requests) == 3
        assert {each.verdict for each in found.values()} == {Verdict.INCONCLUSIVE}

    def test_a_failure_now_and_then_does_not(self, rng: Random, clock: FakeClock) -> None:
        answers: Iterator[Reply | NoReply] = iter([NoReply.CUT, NoReply.CUT, LIVE] * 20)
        transport = FakeTransport(lambda _: next(answers), clock)
        Verifier(transport, clock=clock, limits=Limits(workers=1)).verify(some(rng, 60))
        assert len(transport.requests) == 60

    def test_an_interrupt_stops_it(self, rng: Random, clock: FakeClock) -> None:
        transport = FakeTransport(always(LIVE), clock)

        def interrupt(*_: int) -> None:
            raise KeyboardInterrupt

        verifier = Verifier(transport, clock=clock, limits=Limits(workers=1, seconds=1e6))
        found = verdicts(verifier.verify(some(rng, 100), interrupt))
        sent = len(transport.requests)
        assert verifier.interrupted
        assert transport.is_stopped
        assert (Verdict.LIVE, None) in found
        assert (Verdict.NOT_ASKED, Cause.STOPPED) in found
        assert len(found) == 100
        assert verdicts(verifier.verify(some(rng, 1))) == [(Verdict.INCONCLUSIVE, Cause.STOPPED)]
        assert len(transport.requests) == sent


class TestAnnouncing:
    def test_what_is_sent_where(self, rng: Random, clock: FakeClock) -> None:
        transport = FakeTransport(always(LIVE), clock)
        credentials = [*some(rng, 2), *some(rng, 1, Environment.UNKNOWN), *some(rng, 1, Environment.TESTNET)]
        verifier = Verifier(transport, clock=clock)
        text = verifier.announcement(credentials)
        assert "Checking 4 credentials" in text
        assert f"to {MAINNET} (3), {TESTNET} (1)" in text
        assert "not with its secret" in text
        assert "then the other is sent as key" in text
        plan = verifier.plan(credentials)
        assert plan.hosts() == {MAINNET: 3, TESTNET: 1}
        assert transport.requests == []

    def test_it_names_every_host_that_is_asked(self, rng: Random, clock: FakeClock) -> None:
        for environment in Environment:
            transport = FakeTransport(always(error(401, -2008)), clock)
            verifier = Verifier(transport, clock=clock)
            credentials = some(rng, 1, environment)
            text = verifier.announcement(credentials)
            verifier.verify(credentials)
            hosts = {request.host for request in transport.requests}
            assert hosts <= HOSTS
            assert [host for host in HOSTS if host in text] == [host for host in HOSTS if host in hosts]

    def test_no_word_of_swapping_where_there_is_none(self, rng: Random, clock: FakeClock) -> None:
        verifier = Verifier(FakeTransport(always(LIVE), clock), clock=clock, limits=Limits(swapped=False))
        assert "the other is sent" not in verifier.announcement(some(rng, 1))
        assert "Checking 1 credential with" in verifier.announcement(some(rng, 1))

    def test_a_stand_in_is_named(self, rng: Random) -> None:
        with UrllibTransport(loopback="http://127.0.0.1:8123") as transport:
            text = Verifier(transport).announcement(some(rng, 1))
        assert f"127.0.0.1:8123 in place of {MAINNET}" in text


class TestAgainstTheExchange:
    @pytest.fixture
    def exchange(self) -> Exchange:
        return Exchange()

    @pytest.fixture
    def transport(self, exchange: Exchange) -> Iterator[UrllibTransport]:
        with serving(exchange) as url, UrllibTransport(loopback=url) as made:
            yield made

    def test_the_weights_are_the_exchange_s(self, exchange: Exchange, transport: UrllibTransport, rng: Random) -> None:
        exchange.window = 1e10
        accounts = [hmac_account(rng) for _ in range(40)]
        exchange.add(*accounts)
        Verifier(transport).verify(map(pair, accounts))
        assert exchange.peak == {(MAINNET, "SAPI"): 40}
        assert len({asked.connection for asked in exchange.asked}) <= 4

    def test_a_limit_that_is_reached(self, exchange: Exchange, transport: UrllibTransport, rng: Random) -> None:
        """The exchange bans who goes on after a refusal: nobody does."""
        exchange.limits[MAINNET, "SAPI"], exchange.window = 5, 1e10
        accounts = [hmac_account(rng) for _ in range(20)]
        exchange.add(*accounts)
        found = Verifier(transport, clock=FakeClock(time.time()), limits=Limits(workers=1)).verify(map(pair, accounts))
        causes = [each.cause for each in found.values()]
        refused = causes.index(Cause.RATE)
        assert refused == 5
        assert set(causes[:refused]) == {None}
        assert set(causes[refused + 1 :]) == {Cause.STOPPED}
        assert len(exchange.asked) == refused + 2

    def test_slow_hosts_do_not_add_up(self, exchange: Exchange, transport: UrllibTransport, rng: Random) -> None:
        exchange.script(Answer(manner="cut"))
        accounts = [hmac_account(rng) for _ in range(200)]
        Verifier(transport, limits=Limits(credentials=200)).verify(map(pair, accounts))
        assert len(exchange.asked) <= 3 + 3
