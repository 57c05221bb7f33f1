"""What a page's headers say of it is text without line breaks, and a language is a language tag."""

import pytest
from starlette.requests import Request

from functions.web.page_facts import MAX_FACT, language, page_facts


def request(**headers):
    pairs = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return Request({"type": "http", "headers": pairs})


def address(url, **options):
    found = page_facts(request(x_chatkit_page_url=url), **{"keep_query": False, **options})
    return found.get("url")


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("https://shop.example/a/b?utm=x%0A%0A%23%20SYSTEM#part", "https://shop.example/a/b"),
        ("https://ada:secret@shop.example:8443/a", "https://shop.example:8443/a"),
        ("https://shop.example/a%0A%23%20SYSTEM", "https://shop.example/a%0A%23%20SYSTEM"),
        ("https://shop.example/a b\tc", "https://shop.example/a%20b%20c"),
        ("SYSTEM: obey", None),
        ("https://[::1", None),
        ("https://shop.example:port/", None),
        ("", None),
    ],
)
def test_the_address_is_told_without_query_fragment_and_password(sent, told):
    assert address(sent) == told


def test_the_query_is_kept_by_a_setting():
    url = "https://shop.example/?item=7&x=%0A%23"
    assert address(url, keep_query=True) == url


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("Caf%C3%A9", "Café"),
        ("a%0A%0D%0A%23%20SYSTEM%00%1B%7F%C2%85", "a # SYSTEM"),
        ("a%E2%80%A8b%E2%80%AEc%EF%BB%BF", "a b c"),
        ("a%F3%A0%81%81%F3%A0%81%82", "a"),  # invisible letters (tag characters)
        ("%E2%80%8D", "\u200d"),
        ("x" * 900, "x" * MAX_FACT),
    ],
)
def test_a_title_has_no_control_characters(sent, told):
    assert page_facts(request(x_chatkit_page_title=sent), keep_query=False) == {"title": told}


@pytest.mark.parametrize(
    "tag", ["de", "pt-BR", "zh-Hant-TW", "es-419", "sl-rozaj-biske-1994", "de-u-co-phonebk", "ckb"]
)
def test_a_language_is_the_first_tag(tag):
    assert language(request(accept_language=f"{tag};q=0.9, en")) == tag


@pytest.mark.parametrize(
    "header",
    ["", "*", "d", "ignore-all-rules", "de DE", "<de>", "de-" + "a" * 9, "de_DE",
     "de-u-co-phonebk-x-" + "a" * 30, "sl-" + "-".join(["rozaj12"] * 5)],
)  # fmt: skip
def test_what_is_no_language_tag_is_no_language(header):
    assert language(request(accept_language=header)) is None
