"""The offline demo: by which words it calls which tool."""

from functions.toolkit import DemoRule, DemoScript

MONEY = r"\b(?:refund|money back|billing)\b"

SCRIPT = DemoScript(
    hint="Say *Where is my order A-1042? My e-mail is ada@example.com.*, *I want to return the "
    "kettle.*, *I want my money back.* or *Where does my case stand?*",
    rules=(
        DemoRule(
            "find_order",
            r"\b(?P<number>[A-Z]-\d{4})\b.*?(?P<email>[\w.]+@\w+\.\w+)",
            lambda found: {"number": found["number"], "email": found["email"]},
        ),
        # The desk hands over, and billing reads the same message.
        DemoRule("transfer_to_billing", MONEY),
        DemoRule("refund", MONEY, lambda _: {"item": "KETTLE-1", "euros": 49}),
        DemoRule("show_return_form", rf"{MONEY}|\b(?:return|broken|send it back)\b"),
        DemoRule("show_order", r"\b(?:order|case)\b"),
    ),
)
