"""An assistant of one's own is packed with the folder that it is in, and with what it needs."""

import subprocess
import sys

import pytest

from functions.settings import Settings
from infra import assistant_package as packages
from infra import bundle
from infra.stack.page_config import page_config


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository with assistants of each form."""
    for name, text in {
        "shop/__init__.py": "assistant = 1",
        "shop/features/orders.py": "",
        "shop/prompt.md": "Be kind.",
        "shop/tests/test_shop.py": "",
        "shop/page.json": '{"placeholder": "Ask the shop"}',
        "examples/desk/__init__.py": "",
        "examples/desk/main.py": "",
        "examples/__init__.py": "",
        "examples/other/__init__.py": "",
        "single.py": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(packages, "ROOT", tmp_path)
    monkeypatch.setattr(bundle, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "packed"),
    [
        ("shop", {"__init__.py", "features/orders.py", "prompt.md", "page.json"}),
        ("shop.features.orders", {"features/orders.py", "__init__.py"}),
    ],
)
def test_a_package_is_packed_without_its_tests(root, module, packed):
    found = bundle._sources_of(packages.assistant_package(module))
    assert set(found.files) == {f"shop/{name}" for name in packed}


def test_a_module_is_packed_with_the_package_around_it_and_with_nothing_beside_that(root):
    found = bundle._sources_of(packages.assistant_package("examples.desk.main"))
    assert set(found.files) == {
        "examples/desk/__init__.py",
        "examples/desk/main.py",
        "examples/__init__.py",
    }
    assert set(bundle._sources_of(packages.assistant_package("single")).files) == {"single.py"}


@pytest.mark.parametrize("module", [None, "nothing", "shop.nothing", "shop..features", "../shop"])
def test_what_is_not_in_the_repository_is_no_package(root, module):
    assert packages.assistant_package(module) is None


def test_a_lock_that_contradicts_that_of_the_functions_is_refused(root, monkeypatch):
    lock = root / "requirements" / "functions.txt"
    lock.parent.mkdir()
    lock.write_text("Pydantic_Core==2.0 \\\n    --hash=sha256:00\n")
    monkeypatch.setattr(packages, "LOCK", lock)
    own = root / "shop" / "requirements.txt"
    for version, fits in (("2.0", True), ("2.1", False)):
        own.write_text(f"pydantic-core=={version} \\\n    --hash=sha256:00\nother==1\n")
        package = packages.assistant_package("shop")
        if fits:
            package.check_requirements()
            assert package.own_packages == {"pydantic-core", "other"}
        else:
            with pytest.raises(ValueError, match=r"pydantic-core 2\.1, and .* has 2\.0.*make lock"):
                package.check_requirements()


def test_the_page_gets_what_the_assistant_says_of_it(root):
    settings = Settings(_env_file=None, assistant="shop")
    assert page_config(settings)["assistant"] == {"placeholder": "Ask the shop"}
    assert page_config(Settings(_env_file=None))["assistant"] == {}
    (root / "shop" / "page.json").write_text("[]")
    with pytest.raises(ValueError, match=r"shop/page\.json is no JSON object"):
        page_config(settings)


def test_the_apps_of_both_functions_have_the_packed_assistant():
    for function, app in (("chat", "chat.app"), ("actions", "actions.app")):
        tree = bundle.build(function, host=True, assistant="tests.assistants.cats")
        code = (
            "import sys; sys.path.insert(0, sys.argv[1])\n"
            f"from functions.{app} import create_app\n"
            "print(type(create_app().state.services.assistant).__name__)"
        )
        done = subprocess.run(
            [sys.executable, "-S", "-E", "-c", code, str(tree)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tree,
            env={"CHATKIT_ASSISTANT": "tests.assistants.cats", "CHATKIT_COOKIE_KEY": "0" * 64},
        )
        assert done.stdout == "Cats\n", done.stderr
