"""Signs people in and out on the page, as they do it."""

ADA, ALAN, GRACE = "Ada Lovelace", "Alan Turing", "Grace Hopper"
"""The people of the issuer. Ada is `staff`, and Grace is `admin`."""


def visit(chat, path="/"):
    """Open the page as somebody who has not signed in."""
    chat.page.goto(chat.server + path)
    chat.button("Sign in").wait_for()


def sign_in(chat, name=ADA):
    chat.button("Sign in").click()
    choose(chat.page, name)
    chat.composer.wait_for(timeout=15_000)


def choose(page, name):
    """Choose somebody on the issuer's page."""
    page.get_by_role("button", name=name).click()


def sign_out(chat):
    chat.page.get_by_role("button", name="Account of").click()
    chat.button("Sign out").click()
    chat.page.get_by_role("heading", name="Sign out?").wait_for()
    chat.button("Sign out").click()
    chat.button("Sign in").wait_for()


def account(chat):
    return chat.page.get_by_role("button", name="Account of")
