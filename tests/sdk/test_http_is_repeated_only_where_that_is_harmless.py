"""One HTTP client for all surfaces: retries, problems as errors, bounded answers, streams without gaps."""

import json
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.api.errors import Problem
from insitu.api.metadata_v1 import AssetIds
from insitu.domain.errors import ERRORS, InsituError
from insitu.sdk import http as http_module
from insitu.sdk.events import ServerEvent, follow, parse_events
from insitu.sdk.gateway import file_name, gateway_url
from insitu.sdk.http import ATTEMPTS, Http
from insitu.waiting import Backoff

URL = "http://server.test/thing"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "RETRY", Backoff(0.0, 0.0))


Answer = httpx.Response | Exception


def scripted(*answers: Answer) -> tuple[Http, list[httpx.Request]]:
    """A client of a server that gives these answers; the last one forever."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = answers[min(len(seen), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return Http(transport=httpx.MockTransport(handle)), seen


def problem(code: str, **context: object) -> httpx.Response:
    document = Problem.of(InsituError(code, "this time", **context))
    return httpx.Response(document.status, json=document.model_dump(mode="json", by_alias=True))


@pytest.mark.parametrize(
    "passing", [httpx.ReadError("cut"), httpx.Response(503), problem("ChainUnavailable")], ids=repr
)
async def test_what_passes_is_waited_out_where_repeating_is_harmless(passing: Answer) -> None:
    for method, options in (("GET", {}), ("PUT", {"json": {}}), ("DELETE", {}), ("POST", {"idempotent": True})):
        http, seen = scripted(passing, httpx.Response(200, json={"ids": []}))
        async with http:
            assert await http.model(AssetIds, method, URL, **options) == AssetIds(ids=())
        assert len(seen) == 2


async def test_a_server_that_names_a_later_moment_is_not_asked_again_at_once() -> None:
    for seconds, asked in (("2", 2), ("60", 1)):
        later = httpx.Response(503, headers={"Retry-After": seconds})
        http, seen = scripted(later, httpx.Response(200, json={"ids": []}))
        async with http:
            try:
                assert await http.model(AssetIds, "GET", URL) == AssetIds(ids=())
            except InsituError as error:
                assert (error.code, seconds) == ("PeerUnavailable", "60")
        assert len(seen) == asked


async def test_what_may_have_happened_is_not_repeated() -> None:
    http, seen = scripted(httpx.ReadError("cut"), httpx.Response(200))
    async with http:
        with pytest.raises(InsituError, match="PeerUnavailable"):
            await http.call("POST", URL, json={})
    assert len(seen) == 1


async def test_a_connection_that_was_never_made_is_tried_again_in_any_case() -> None:
    http, seen = scripted(httpx.ConnectError("refused"), httpx.Response(200, json=1))
    async with http:
        assert await http.call("POST", URL, json={}) == 1
    assert len(seen) == 2


async def test_patience_ends() -> None:
    http, seen = scripted(httpx.ConnectError("refused"))
    async with http:
        with pytest.raises(InsituError, match=r"PeerUnavailable: server\.test does not answer: refused"):
            await http.call("GET", URL)
    assert len(seen) == ATTEMPTS


@pytest.mark.parametrize("code", sorted(ERRORS))
async def test_every_problem_comes_back_as_the_error_that_it_was(code: str) -> None:
    http, _ = scripted(problem(code, deadline=5))
    async with http:
        with pytest.raises(InsituError) as raised:
            await http.call("GET", URL)
    assert (raised.value.code, raised.value.detail, raised.value.context) == (code, "this time", {"deadline": 5})


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(502, text="<html>Bad gateway</html>"), "PeerUnavailable"),
        (httpx.Response(404, text="nginx"), "NotFound"),
        (httpx.Response(413, text="nginx"), "BodyTooLarge"),
        (httpx.Response(500, json={"detail": "x"}), "PeerUnavailable"),
        (httpx.Response(302, headers={"Location": "http://elsewhere.test"}), "PeerUnavailable"),
        (httpx.Response(200, text="<html>"), "PeerUnavailable"),
        (httpx.Response(200, content=b"[" * 100_000), "PeerUnavailable"),
        (httpx.Response(200, json={"ids": "x"}), "PeerUnavailable"),
        (httpx.Response(200, json=[]), "PeerUnavailable"),
        (httpx.Response(200), "PeerUnavailable"),
        (httpx.DecodingError("bad gzip"), "PeerUnavailable"),
    ],
    ids=repr,
)
async def test_an_answer_that_is_not_ours_is_an_error_all_the_same(answer: Answer, code: str) -> None:
    http, _ = scripted(answer)
    async with http:
        with pytest.raises(InsituError) as raised:
            await http.model(AssetIds, "GET", URL)
    assert raised.value.code == code


async def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "MAX_ANSWER", 1000)
    http, seen = scripted(httpx.Response(200, content=b"x" * 1001))
    async with http:
        with pytest.raises(InsituError, match="more than 1000 bytes"):
            await http.call("GET", URL)
    assert len(seen) == 1


@pytest.mark.parametrize("url", ["", "not a url", "http://", "http://[", "http://host:99999/", "ftp://host/x"])
async def test_what_is_not_a_url_is_an_error(url: str) -> None:
    async with Http() as http:
        with pytest.raises(InsituError) as raised:
            await http.call("GET", url)
    assert raised.value.code in {"InvalidRequest", "PeerUnavailable"}


async def test_a_query_of_the_url_stays() -> None:
    http, seen = scripted(httpx.Response(200, json=1))
    async with http:
        await http.call("GET", URL + "?version=2", params={"checksum": "ab", "none": None})
    assert str(seen[0].url) == URL + "?version=2&checksum=ab"


def stream(*events: str) -> httpx.Response:
    return httpx.Response(200, content="".join(events).encode())


def event(number: int, name: str = "phase", data: str = "{}") -> str:
    return f"id: {number}\nevent: {name}\ndata: {data}\n\n"


async def followed(*answers: Answer, fresh: list[bool] | None = None) -> tuple[list[ServerEvent], list[httpx.Request]]:
    http, seen = scripted(*answers)

    async def authorization(wanted: bool) -> dict[str, str]:
        if fresh is not None:
            fresh.append(wanted)
        return {"Authorization": "Bearer x"}

    async with http:
        return [one async for one in follow(http, URL, authorization)], seen


async def test_a_stream_goes_on_behind_its_last_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insitu.sdk.events.RETRY", Backoff(0.0, 0.0))
    events, seen = await followed(
        stream(event(1), ": heartbeat\n\n", event(2), "id: 3\nevent: cut"),
        httpx.ReadError("cut"),
        problem("ChainUnavailable"),
        stream(event(3), event(4, "end")),
    )
    assert [one.id for one in events] == ["1", "2", "3", "4"]
    assert [request.headers.get("Last-Event-ID") for request in seen] == [None, "2", "2", "2"]


async def test_a_stream_whose_token_ends_goes_on_with_a_fresh_one() -> None:
    fresh: list[bool] = []
    answers = [stream(event(1), "event: token-expired\ndata: {}\n\n"), stream(event(2, "end"))]
    events, _ = await followed(*answers, fresh=fresh)
    assert [one.id for one in events] == ["1", "2"]
    assert fresh == [False, True]


async def test_a_stream_that_is_refused_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insitu.sdk.events.RETRY", Backoff(0.0, 0.0))
    with pytest.raises(InsituError, match="NotConsumer"):
        await followed(problem("NotConsumer"))
    with pytest.raises(InsituError, match="TokenExpired"):
        await followed(problem("TokenExpired"))
    with pytest.raises(InsituError, match="ExecutionUnknown"):
        await followed(stream(event(1), 'event: error\ndata: {"code": "ExecutionUnknown"}\n\n'))
    with pytest.raises(InsituError, match="keeps ending the stream"):
        await followed(stream())
    with pytest.raises(InsituError, match="PeerUnavailable"):
        await followed(httpx.ConnectError("refused"))


@given(
    st.lists(
        st.tuples(st.integers(0, 99), st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))),
        max_size=5,
    ),
    st.lists(st.integers(1, 40), max_size=30),
)
async def test_events_are_the_same_however_the_bytes_arrive(sent: list[tuple[int, str]], cuts: Sequence[int]) -> None:
    raw = "".join(event(number, "log", json.dumps(text, ensure_ascii=False)) for number, text in sent).encode()
    pieces, at = [], 0
    for cut in [*cuts, len(raw)]:
        pieces.append(raw[at : at + cut])
        at += cut

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    response = httpx.Response(200, content=body())
    received = [(int(found.id or -1), json.loads(found.data)) async for found in parse_events(response)]
    assert received == sent


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("attachment; filename*=UTF-8''stage-1%2Fa%20b.csv", "stage-1/a b.csv"),
        ('attachment; filename="a.csv"', "a.csv"),
        ("inline", None),
        ("", None),
    ],
)
def test_the_name_of_a_download_is_read_from_its_header(header: str, name: str | None) -> None:
    assert file_name(header) == name


def test_the_gateway_is_where_the_document_says() -> None:
    for alias in ("exec", "execute", "compute/exec"):
        assert gateway_url(f"https://g.test/base/api/v1/gateway/services/{alias}") == "https://g.test/base"
    for endpoint in ("", "https://g.test/exec", "https://g.test/api/v1/gateway/services/exec/../x"):
        with pytest.raises(InsituError, match="InvalidDocument"):
            gateway_url(endpoint)
