"""What is uploaded to Lambda: complete, small, the same each time, and able to run."""

import asyncio
import filecmp
import os
import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import httpx2
import pytest

from infra import bundle
from infra.bundling import bytecode, trim
from infra.bundling.sources import Sources
from infra.emulator import project
from infra.emulator.function import Function
from infra.emulator.function_url import FunctionUrl
from infra.emulator.server import Server

COOKIE = {"CHATKIT_COOKIE_KEY": "0" * 64}


def _size(tree: Path) -> int:
    return sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())


def _files(tree: Path) -> set[str]:
    return {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}


def _is_compiled(name: str) -> bool:
    """Machine code, by its name: `x.so`, `x.cpython-313-aarch64-linux-gnu.so`, `libx-1a2b.so.6`."""
    return re.search(r"\.so(\.\d+)*$", name) is not None


def _without_tag(name: str) -> str:
    """A file's name without what says which Python and which CPU it is for."""
    return re.sub(r"\.cpython-\d+(-[\w-]+)?(?=\.(so|pyc)$)", "", name)


@pytest.fixture(scope="module")
def chat() -> Path:
    return bundle.build("chat", host=True)


@pytest.fixture(scope="module")
def for_lambda() -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bundle.build("chat")


@pytest.mark.parametrize("function", ["chat", "actions"])
async def test_both_functions_serve_from_their_bundles_alone(function):
    """With an interpreter that has no packages of its own."""
    found = project.bundle(function)
    make = project.chat_configuration if function == "chat" else project.actions_configuration
    path = "/chatkit/health" if function == "chat" else "/actions/health"
    async with (
        Function(make(found.task_root, COOKIE, python=found.python)) as deployed,
        Server(FunctionUrl(deployed, streaming=function == "chat").handle) as server,
        httpx2.AsyncClient(timeout=60, trust_env=False) as client,
    ):
        response = await client.get(server.url + path)
        assert response.json()["status"] == "ok", deployed.environments[0].output.decode()


def test_the_bundle_reads_files_with_what_it_contains(chat):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from functions.files import office, text\n"
        "print(text.legacy('名前,金額'.encode('cp932')))\n"
        "for name in ('report.docx', 'sales.xlsx'):\n"
        "    with open(f'{sys.argv[2]}/{name}', 'rb') as file:\n"
        "        print('walnuts' in office.text(file.read(), 1000).lower())"
    )
    files = str(bundle.ROOT / "tests" / "attachments" / "files")
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-X", "utf8", "-c", code, str(chat), files],
        capture_output=True,
        text=True,
        check=False,
        cwd=chat,
    )
    assert done.stdout == "名前,金額\nTrue\nTrue\n", done.stderr


def test_only_what_reads_documents_is_packed_with_what_reads_them(chat):
    """Lambda takes 250 MB; the other functions would start more slowly with it."""
    ingest = bundle.build("ingest", host=True)
    assert _size(ingest) < 140_000_000
    for name in ("pypdf/__init__.py", "pptx/__init__.py", "lxml/html/__init__.py"):
        assert (ingest / name).is_file()
        assert not (chat / name).exists()
    assert (ingest / "functions" / "ingest").is_dir()
    assert not (chat / "functions" / "ingest").exists()
    for folder in ("chat", "actions", "assistant", "web"):
        assert not (ingest / "functions" / folder).exists()


def test_it_fits_with_its_byte_code(chat, for_lambda):
    assert _size(chat) < 110_000_000
    assert _size(for_lambda) < 110_000_000


def test_every_module_has_byte_code_that_does_not_ask_for_its_source(chat):
    modules = [name for name in _files(chat) if name.endswith(".py")]
    tag = sys.implementation.cache_tag
    missing = [
        name
        for name in modules
        if not (chat / name).parent.joinpath(f"__pycache__/{Path(name).stem}.{tag}.pyc").exists()
    ]
    assert len(missing) < len(modules) / 100, missing
    cached = chat / "functions" / "chat" / "__pycache__" / f"app.{tag}.pyc"
    assert cached.read_bytes()[4:8] == b"\x01\x00\x00\x00"  # PEP 552: hash-based, unchecked
    assert str(bundle.ROOT).encode() not in cached.read_bytes()
    assert b"/var/task/functions/chat/app.py" in cached.read_bytes()


def test_binaries_for_lambda_are_of_its_platform_and_python(for_lambda):
    binaries = list(for_lambda.rglob("*.so"))
    assert binaries
    assert all(path.read_bytes()[18:20] == b"\xb7\x00" for path in binaries)  # ELF: aarch64
    assert not [path for path in binaries if "cpython-31" in path.name and "313" not in path.name]


@pytest.mark.parametrize(
    ("function", "gemini_transcribes"), [("chat", False), ("actions", False), ("actions", True)]
)
def test_the_host_bundle_holds_the_files_that_lambda_gets_but_for_compiled_libraries(
    function, gemini_transcribes
):
    """What is proven with the one is proven of the other: same names, same bytes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shipped = bundle.build(function, gemini_transcribes=gemini_transcribes)
    tested = bundle.build(function, host=True, gemini_transcribes=gemini_transcribes)
    here, there = _files(tested), _files(shipped)

    plain = {name for name in here | there if not name.endswith(".pyc") and not _is_compiled(name)}
    assert plain - here == set()
    assert plain - there == set()
    _, different, errors = filecmp.cmpfiles(shipped, tested, plain, shallow=False)
    assert (different, errors) == ([], [])

    # Each Python and CPU has its own machine code and byte-code, of the same modules. What lies
    # in `*.libs` is no module: a wheel brings there what its own platform needs.
    def made(names: set[str], *kinds: str) -> set[str]:
        return {
            _without_tag(name)
            for name in names
            if name.endswith(kinds) and not name.split("/")[0].endswith(".libs")
        }

    assert made(here, ".so") == made(there, ".so") != set()
    if made(there, ".pyc"):  # none where no Python for Lambda could be had, which warns
        assert made(here, ".pyc") == made(there, ".pyc")


def test_the_wrapper_is_where_the_template_says_and_may_be_run(chat, for_lambda):
    for tree in (chat, for_lambda):
        wrapper = tree / project.WRAPPER.removeprefix("/var/task/")
        assert os.access(wrapper, os.X_OK)
        assert os.access(wrapper.with_name("web_adapter.sh"), os.X_OK)


def test_what_nothing_reads_is_gone(chat):
    names = _files(chat)
    assert not [name for name in names if "/tests/" in name or name.endswith((".pyi", ".pyx"))]
    infos = {name.split("/")[1] for name in names if ".dist-info/" in name}
    assert infos <= {"METADATA", "entry_points.txt"}
    services = {name.split("/")[2] for name in names if name.startswith("botocore/data/")}
    assert {"dynamodb", "s3", "endpoints.json", "partitions.json"} <= services
    assert "ec2" not in services
    assert not [
        name
        for name in names
        if name.startswith(
            ("mangum/", "functions/actions/", "functions/changes/", "functions/events/")
        )
    ]
    assert not [name for name in names if name.startswith("functions/toolkit/testing")]
    assert not [name for name in names if name.startswith((".env", "infra/", "tests/"))]


@pytest.fixture
def short_lock(tmp_path, monkeypatch):
    """Bundles of a few packages: one of Python alone, one compiled, one that is trimmed."""
    packages = re.split(r"\n(?=\w)", (bundle.ROOT / "requirements" / "functions.txt").read_text())
    few = [each for each in packages if each.startswith(("uvicorn=", "pydantic-core=", "boto3="))]
    assert len(few) == 3
    lock = tmp_path / "functions.txt"
    lock.write_text("\n".join(few) + "\n")
    monkeypatch.setattr(bundle, "_LOCK", lock)


@pytest.fixture(params=["a few packages", pytest.param("all packages", marks=pytest.mark.soak)])
def packages(request):
    if request.param == "a few packages":
        request.getfixturevalue("short_lock")


@pytest.mark.usefixtures("packages")
def test_the_same_inputs_give_the_same_bytes(tmp_path, monkeypatch):
    built = []
    for cache in ("first", "again"):
        monkeypatch.setattr(bundle, "_CACHE", tmp_path / cache)
        built.append(bundle.build("chat", host=True))
    first, again = built
    names = _files(first)
    assert _files(again) == names
    _, different, errors = filecmp.cmpfiles(first, again, names, shallow=False)
    assert (different, errors) == ([], [])
    for name in names:
        assert (first / name).stat().st_mode == (again / name).stat().st_mode
        assert (again / name).stat().st_mtime == 315_532_800


def test_a_second_build_only_looks(chat, monkeypatch):
    monkeypatch.setattr(bundle, "_install", lambda *_, **__: pytest.fail("built again"))
    assert bundle.build("chat", host=True) == chat


def test_two_that_need_a_bundle_at_once_build_it_once(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "_CACHE", tmp_path)
    both_build = Barrier(2)
    built = []

    def make(tree):
        built.append(tree)
        with suppress(BrokenBarrierError):
            both_build.wait(1)

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: bundle._cached("chat", ["inputs"], make), range(2))
    assert first == second
    assert first.is_dir()
    assert len(built) == 1


@pytest.mark.usefixtures("short_lock")
def test_without_a_python_for_lambda_it_warns_and_ships_no_byte_code(tmp_path, monkeypatch):
    monkeypatch.setattr(bytecode, "find_python", lambda *_, **__: None)
    monkeypatch.setattr(bundle, "_CACHE", tmp_path / "cache")
    with pytest.warns(UserWarning, match="no byte-code"):
        made = bundle.build("chat")
    assert not list(made.rglob("*.pyc"))


def test_a_python_that_is_only_a_name_is_not_taken(tmp_path, monkeypatch):
    """pyenv's shims stand on the path for versions that are not switched on."""
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\necho 'not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    assert not bytecode._runs(shim, "3.13")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert bytecode._runs(Path(sys.executable), version)
    assert not bytecode._runs(Path(sys.executable), "3.1")


def test_a_service_that_a_tool_uses_comes_along(tmp_path):
    source = b"import boto3\nasync def tool():\n    boto3.client('sqs').send_message()\n"
    sources = Sources({"assistant/tools.py": (source, False)})
    assert sources.aws_services() == {"sqs"}
    for service in ("sqs", "ec2", "s3"):
        (tmp_path / "botocore" / "data" / service).mkdir(parents=True)
    trim.trim(tmp_path, sources)
    assert {path.name for path in (tmp_path / "botocore/data").iterdir()} == {"sqs", "s3"}


def test_the_services_of_the_index_and_of_embeddings_come_along():
    used = Sources.read(bundle.ROOT / "functions" / "knowledge").aws_services()
    assert used == {"bedrock-runtime", "s3vectors"}


def test_a_package_that_a_tool_imports_stays(tmp_path):
    for name in ("requests", "mangum"):
        (tmp_path / name).mkdir()
    trim.trim(tmp_path, Sources({"assistant/tools.py": (b"from requests import get", False)}))
    assert [path.name for path in tmp_path.iterdir()] == ["requests"]


def test_a_package_that_an_assistants_lock_names_stays_whole(tmp_path):
    """What the assistant needs may use it, as LangGraph's packages import `requests`."""
    parts = ("PIL/_imagingft.so", "botocore/data/sqs/it", "lxml/sax.py", "requests/api.py")
    for name in (*parts, "mangum/adapter.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    trim.trim(tmp_path, Sources({}), frozenset({"botocore", "lxml", "pillow", "requests"}))
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {*parts}


@pytest.mark.parametrize(
    ("source", "left"),
    [
        (b"from PIL import Image, ImageFont", {"_imaging.so", "_imagingft.so", "libfreetype-1.so"}),
        (b"from PIL import Image", {"_imaging.so"}),
    ],
)
def test_what_pillow_writes_text_with_comes_along_where_a_tool_does(tmp_path, source, left):
    for name in ("PIL/_imaging.so", "PIL/_imagingft.so", "pillow.libs/libfreetype-1.so"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    trim.trim(tmp_path, Sources({"assistant/tools.py": (source, False)}))
    assert {path.name for path in tmp_path.rglob("*.so")} == left


def test_sources_are_hashed_as_they_are_written(tmp_path):
    (tmp_path / "in" / "chat" / "__pycache__").mkdir(parents=True)
    (tmp_path / "in" / "chat" / "app.py").write_text("app = 1\n")
    (tmp_path / "in" / "chat" / "__pycache__" / "app.pyc").touch()
    (tmp_path / "in" / "README.md").touch()
    (tmp_path / "in" / ".env").touch()
    before = Sources.read(tmp_path / "in")
    assert list(before.files) == ["chat/app.py"]
    (tmp_path / "in" / "chat" / "app.py").write_text("app = 2\n")
    assert Sources.read(tmp_path / "in").digest != before.digest
    before.write(tmp_path / "out")
    assert (tmp_path / "out" / "chat" / "app.py").read_text() == "app = 1\n"


def test_the_command_line_puts_all_where_it_is_told(tmp_path):
    stale = tmp_path / "out" / "chat" / "stale.py"
    stale.parent.mkdir(parents=True)
    stale.touch()
    done = subprocess.run(
        [sys.executable, "-m", "infra.bundle", "--host", "--out", tmp_path / "out"],
        cwd=bundle.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(bundle.FUNCTIONS)
    assert not stale.exists()
    assert "MB" in done.stdout


async def test_web_adapters_start_script_serves_the_same_app(tmp_path):
    """What `-c streaming=web-adapter` starts, under the interpreter on the path."""
    from infra.emulator.python_runtime import lay_out

    found = project.bundle("chat")
    python = lay_out(tmp_path, found.python)
    script = found.task_root / "functions" / "lambda_stream" / "web_adapter.sh"
    port = 18_000 + os.getpid() % 10_000
    process = await asyncio.create_subprocess_exec(
        script,
        env={"PATH": f"{python.parent}:/usr/bin:/bin", "AWS_LWA_PORT": str(port), **COOKIE},
        cwd=found.task_root,
    )
    try:
        async with httpx2.AsyncClient(trust_env=False) as client:
            async with asyncio.timeout(60):
                while True:
                    try:
                        response = await client.get(f"http://127.0.0.1:{port}/chatkit/health")
                        break
                    except httpx2.ConnectError:
                        await asyncio.sleep(0.1)
        assert response.json()["status"] == "ok"
    finally:
        process.terminate()
        await process.wait()
