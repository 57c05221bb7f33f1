"""Events reach their function, at `make dev` and at `make lambda`."""

import time

import httpx2

from tests.support.chat import Chat, message


def test_an_upload_that_is_not_what_it_says_is_removed_before_anybody_sends_it(server):
    chat, body = Chat(server), b"<html>"
    file = chat.read("attachments.create", name="a.png", size=len(body), mime_type="image/png")
    place = file["upload_descriptor"]
    put = httpx2.put(place["url"], content=body, headers=place["headers"], trust_env=False)
    assert put.status_code == 200, put.text

    def refusal():
        sent = message("Look", attachments=[file["id"]])
        return chat.post("threads.create", input=sent).json()["message"]

    deadline = time.monotonic() + 60
    while "was not uploaded" not in (found := refusal()):
        # Before it is removed, and when that happens between the two looks at it.
        assert "not a valid" in found or "changed while it was sent" in found
        assert time.monotonic() < deadline
        time.sleep(0.5)
