"""How a request of DynamoDB's goes over the wire: real sockets, and answers of any shape."""

import datetime as dt
import gc
import ipaddress
import json
import socket
import ssl
import threading

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from functions import aws
from functions.dynamodb_http import PlainSession

PLAIN_TEXT = "http://127.0.0.1:{}"
TLS = "https://127.0.0.1:{}"
ROW = {"pk": {"S": "ä" * 40_000}}
BODY = json.dumps({"Item": ROW}).encode()
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"%x\r\n%s\r\n%x;a=b\r\n%s\r\n0\r\n\r\n" % (5, BODY[:5], len(BODY) - 5, BODY[5:])
)
TO_THE_END = b"HTTP/1.0 200 OK\r\n\r\n" + BODY
INTERIM = b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Answers the requests of each connection with the next of its `scripts`, then closes it."""

    def __init__(self, scripts, context=None):
        self.scripts = [list(script) for script in scripts]
        self.connections = 0
        self.requests = []
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.closed = threading.Semaphore(0)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        for script in self.scripts:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
                with connection, connection.makefile("rb") as reader:
                    for answer in script:
                        self._receive(reader)
                        for piece in [answer] if isinstance(answer, bytes) else answer:
                            connection.sendall(piece)
            except OSError:
                pass
            self.closed.release()

    def _receive(self, reader):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = reader.readline()
            if not line:
                raise ConnectionResetError
            head += line
        length = next(line for line in head.lower().split(b"\r\n") if b"content-length" in line)
        self.requests.append((head, reader.read(int(length.split(b":")[1]))))


@pytest.fixture
def serve():
    servers = []

    def start(*scripts, context=None):
        servers.append(Server(scripts, context))
        return servers[-1]

    yield start
    for server in servers:
        server.listener.close()


def client_of(server, *, attempts=1, sent=lambda: None, address=PLAIN_TEXT, verify=None, **config):
    made = boto3.client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=address.format(server.port),
        aws_access_key_id="a",
        aws_secret_access_key="a",
        verify=verify,
        config=Config(
            connect_timeout=5,
            read_timeout=0.3,
            retries={"mode": "standard", "total_max_attempts": attempts},
            **config,
        ),
    )
    made._endpoint.http_session = PlainSession(made._endpoint.http_session, sent)
    return made


def get(client):
    return client.get_item(TableName="t", Key={"pk": {"S": "a"}})


def test_the_products_own_client_sends_this_way_and_no_other_does():
    table, files = (aws._client(each, "us-east-1", None) for each in ("dynamodb", "s3"))
    assert isinstance(table._endpoint.http_session, PlainSession)
    assert not isinstance(files._endpoint.http_session, PlainSession)


def test_request_after_request_goes_over_one_connection_whole_and_as_it_was_signed(serve):
    server = serve([PLAIN] * 3)
    sent = []
    client = client_of(server, sent=lambda: sent.append(1))
    assert [get(client)["Item"] for _ in range(3)] == [ROW] * 3
    assert server.connections == 1
    assert len(sent) == 3
    head, body = server.requests[0]
    assert json.loads(body) == {"TableName": "t", "Key": {"pk": {"S": "a"}}}
    assert head.startswith(b"POST / HTTP/1.1\r\n")
    assert b"\r\nHost: 127.0.0.1:%d\r\n" % server.port in head
    assert b"SignedHeaders=content-type;host;x-amz-date;x-amz-target" in head


@pytest.mark.parametrize(
    "answer",
    [
        CHUNKED,
        TO_THE_END,
        INTERIM + PLAIN,
        [PLAIN[i : i + 9_999] for i in range(0, len(PLAIN), 9_999)],
        [PLAIN[:1], PLAIN[1:40], PLAIN[40:]],
        PLAIN.replace(b"\r\nContent", b"\r\nX-Empty:\r\nCONTENT"),
    ],
    ids=["chunked", "to the end", "after another", "in pieces", "in a broken head", "other case"],
)
def test_an_answer_of_any_shape_is_read_whole(serve, answer):
    server = serve([answer], [answer])
    client = client_of(server)
    assert get(client)["Item"] == ROW
    server.closed.acquire(timeout=10)
    assert get(client)["Item"] == ROW


@pytest.mark.parametrize(
    "last", [PLAIN.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"), PLAIN + b"more", TO_THE_END]
)
def test_no_request_follows_an_answer_that_ends_its_connection(serve, last):
    server = serve([last] if last == TO_THE_END else [last, PLAIN], [PLAIN])
    client = client_of(server)
    get(client)
    assert get(client)["Item"] == ROW
    assert server.connections == 2


@pytest.mark.parametrize("address", ["http://LocalHost:{}", "http://a:b@localhost:{}"])
def test_the_host_is_named_as_it_was_signed(serve, address):
    server = serve([PLAIN])
    get(client_of(server, address=address))
    assert b"\r\nHost: localhost:%d\r\n" % server.port in server.requests[0][0]


def test_a_client_that_is_closed_leaves_no_connection(serve):
    server = serve([PLAIN, PLAIN], [PLAIN])
    client = client_of(server)
    get(client)
    client.close()
    gc.collect()
    assert server.closed.acquire(timeout=10)
    assert get(client)["Item"] == ROW
    assert server.connections == 2


def test_a_connection_that_was_closed_while_idle_costs_no_attempt(serve):
    server = serve([PLAIN], [PLAIN])
    client = client_of(server)
    get(client)
    assert server.closed.acquire(timeout=10)
    assert get(client)["ResponseMetadata"]["RetryAttempts"] == 0
    assert server.connections == 2


@pytest.mark.parametrize("broken", [b"", PLAIN[:20], PLAIN[:-1], CHUNKED[:-9]])
def test_a_connection_that_breaks_off_is_tried_again(serve, broken):
    server = serve([broken], [PLAIN])
    answer = get(client_of(server, attempts=2))
    assert answer["Item"] == ROW
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


@pytest.mark.parametrize(
    "nonsense", [b"", b"hello\r\n\r\n", b"x" * 70_000, b"HTTP/1.1 yes\r\n\r\n"]
)
def test_what_is_no_answer_is_a_closed_connection(serve, nonsense):
    with pytest.raises(ConnectionClosedError):
        get(client_of(serve([nonsense])))


def test_silence_is_a_read_timeout_and_its_connection_is_not_used_again(serve):
    silent = threading.Event()

    def nothing():
        silent.wait(10)
        yield PLAIN

    server = serve([nothing()], [PLAIN])
    client = client_of(server)
    with pytest.raises(ReadTimeoutError):
        get(client)
    silent.set()
    assert get(client)["Item"] == ROW
    assert server.connections == 2


def test_nobody_there_is_an_endpoint_that_cannot_be_reached(serve):
    server = serve()
    server.listener.close()
    with pytest.raises(EndpointConnectionError):
        get(client_of(server))


def test_a_handshake_without_an_end_is_a_connect_timeout(serve):
    server = serve()  # accepts, in the kernel, and says nothing
    client = client_of(server, address=TLS, verify=False)
    client._endpoint.http_session._session._manager.connection_pool_kw["timeout"]._connect = 0.2
    with pytest.raises(ConnectTimeoutError):
        get(client)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A server's TLS context, and the path of the certificate that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, str(path)


def test_a_certificate_that_nobody_vouches_for_is_refused(serve, certificate):
    server = serve([PLAIN], context=certificate[0])
    with pytest.raises(SSLError):
        get(client_of(server, address=TLS))
    assert not server.requests


def test_a_certificate_that_botocore_was_told_of_is_taken(serve, certificate):
    context, path = certificate
    server = serve([PLAIN, PLAIN], context=context)
    client = client_of(server, address=TLS, verify=path)
    assert get(client)["Item"] == get(client)["Item"] == ROW
    assert server.connections == 1


def test_a_proxy_is_asked_as_botocore_asks_it(serve):
    proxy, server = serve([PLAIN]), serve()
    sent = []
    proxies = {"http": f"http://127.0.0.1:{proxy.port}"}
    client = client_of(server, sent=lambda: sent.append(1), proxies=proxies)
    assert get(client)["Item"] == ROW
    assert proxy.requests[0][0].startswith(b"POST http://127.0.0.1:%d/ " % server.port)
    assert sent == [1]
