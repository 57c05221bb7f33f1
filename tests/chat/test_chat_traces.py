"""A collector gets the trace of an answer before the answer's last byte, without any words."""

import json
import threading

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from functions import otlp
from tests.support.chat import message, text_of
from tests.support.openai_server import Call, Fail, Say
from tests.support.served import served


class Collector:
    """A collector on loopback. `late` holds its answers back."""

    def __init__(self):
        self.requests = []
        self.headers = []
        self.late = None
        self.status = 200
        self.app = Starlette(routes=[Route("/v1/traces", self._take, methods=["POST"])])

    async def _take(self, request):
        if self.late is not None:
            while not self.late.is_set():
                await request.is_disconnected()
        self.requests.append(json.loads(await request.body()))
        self.headers.append(dict(request.headers))
        return Response(status_code=self.status)

    def trace(self):
        """The spans of the only request."""
        [request] = self.requests
        [resource] = request["resourceSpans"]
        [scope] = resource["scopeSpans"]
        return scope["spans"]


@pytest.fixture
def collector():
    return Collector()


@pytest.fixture
def collector_url(collector):
    with served(collector.app) as url:
        yield url


@pytest.fixture
def app_settings(app_settings, collector_url):
    traced = {"otlp_endpoint": collector_url, "otlp_headers": SecretStr("x-team=ours,x-key=a%3Db")}
    return app_settings.model_copy(update=traced)


def value_of(span, name):
    [found] = [each["value"] for each in span["attributes"] if each["key"] == name]
    return next(iter(found.values()))


def test_the_spans_of_an_answer_arrive_before_its_last_byte_with_their_parents(
    ada, model, collector
):
    model.script = [Call("add", {"a": "1111.2222", "b": "3333.4444"}), Say("a secret answer")]
    with ada.open("threads.create", {"x-chatkit-run-id": "run-1"}, input=message("So?")) as events:
        assert text_of(list(events)) == "a secret answer"
        spans = collector.trace()
    [run] = [span for span in spans if "parentSpanId" not in span]
    assert (run["name"], run["kind"]) == ("chatkit threads.create", 2)
    assert (value_of(run, "chatkit.run_id"), value_of(run, "chatkit.outcome")) == (
        "run-1",
        "completed",
    )
    names = [span["name"] for span in spans]
    assert names.count("chat test") == 3  # two of the answer, one of the title
    assert names.count("execute_tool add") == 1
    assert {"dynamodb.update_item", "Table.transact"} <= set(names)
    assert {span["parentSpanId"] for span in spans if span is not run} == {run["spanId"]}
    for span in spans:
        assert (len(span["traceId"]), len(span["spanId"])) == (32, 16)
        assert span["traceId"] == run["traceId"]
        assert int(run["startTimeUnixNano"]) <= int(span["startTimeUnixNano"])
        assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
        assert int(span["endTimeUnixNano"]) <= int(run["endTimeUnixNano"])
        assert span["status"] == {}
    told = json.dumps(collector.requests)
    words = ("secret", "So?", "1111.2222", "3333.4444", "4444.6666")
    assert [word for word in words if word in told] == []
    assert (collector.headers[0]["x-team"], collector.headers[0]["x-key"]) == ("ours", "a=b")


def test_what_a_tool_asks_of_the_table_belongs_to_the_tool(ada, model, collector):
    model.script = [Call("count_messages"), Say("Some.")]
    ada.create()
    spans = collector.trace()
    [tool] = [span for span in spans if span["name"] == "execute_tool count_messages"]
    within = {s["name"] for s in spans if s.get("parentSpanId") == tool["spanId"]}
    assert "dynamodb.query" in within


def test_a_failed_run_and_its_failed_call_say_the_kind_of_the_error(ada, model, collector):
    model.script = [Fail(400, "secret detail")]
    ada.create()
    spans = collector.trace()
    failed = {span["name"] for span in spans if span["status"] == {"code": 2}}
    assert failed == {"chatkit threads.create", "chat test"}
    assert {value_of(s, "error.type") for s in spans if s["status"]} == {"BadRequestError"}
    assert "secret" not in json.dumps(spans)


def test_a_run_has_the_trace_of_xray(ada, model, collector, monkeypatch):
    root = "1-5759e988-bd862e3fe1be46a994272793"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={root};Parent=53995c3f42cd8ad8;Sampled=1")
    ada.create()
    assert {span["traceId"] for span in collector.trace()} == {root[2:].replace("-", "")}


def test_a_request_that_is_refused_has_no_trace(ada, collector):
    assert (
        ada.post("threads.add_user_message", thread_id="x", input=message("hi")).status_code == 404
    )
    assert collector.requests == []


def test_a_collector_that_is_silent_delays_the_last_byte_by_its_time_and_no_more(
    ada, model, collector, monkeypatch, caplog
):
    monkeypatch.setattr(otlp, "EXPORT_SECONDS", 0.2)
    collector.late = threading.Event()
    try:
        assert text_of(ada.create()) == "Hello from the test model."
    finally:
        collector.late.set()
    assert "a trace was not taken by the collector: TimeoutError" in caplog.text


@pytest.mark.parametrize("collector_url", ["http://127.0.0.1:9"])
def test_without_the_collector_an_answer_is_the_same(ada, collector_url, caplog):
    assert text_of(ada.create()) == "Hello from the test model."
    assert "a trace was not taken by the collector: ConnectError" in caplog.text


def test_a_collector_that_refuses_is_one_line_in_the_log(ada, collector, caplog):
    collector.status = 401
    assert text_of(ada.create()) == "Hello from the test model."
    assert "a trace was not taken by the collector: status 401" in caplog.text
