"""The shop's MCP server, which knows nothing of the assistant: `python -m examples.shop.server`.

It says its address on stdout, and ends when its stdin does, with the process that started it.
A customer is known by the header `x-customer`. Baskets are in this process's memory.
"""

import json
import socket
import sys
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.types import ToolAnnotations

GOODS: dict[str, dict[str, Any]] = {
    each["id"]: each for each in json.loads(Path(__file__).with_name("goods.json").read_text())
}
READS = ToolAnnotations(read_only_hint=True)

server = MCPServer("shop", log_level="WARNING")
baskets: dict[str, dict[str, int]] = defaultdict(dict)


@server.tool(annotations=READS)
async def find(words: str) -> str:
    """Finds goods by words in their names: id, name and price in euros."""
    wanted = words.lower().split()
    found = [each for each in GOODS.values() if any(w in each["name"].lower() for w in wanted)]
    lines = [f"- {each['name']}: {each['price']:.2f} € (`{each['id']}`)" for each in found]
    return "\n".join(lines) or "Nothing was found."


@server.tool(annotations=READS)
async def stock(item: str) -> str:
    """How many there are of something, by its id."""
    if item not in GOODS:
        return f"There is no {item}."
    return f"{GOODS[item]['name']}: {GOODS[item]['stock']} in stock."


@server.tool()
async def add_to_basket(item: str, quantity: int, context: Context) -> str:
    """Puts something, by its id, into the customer's basket."""
    basket = baskets[_customer(context)]
    if item not in GOODS:
        return f"There is no {item}."
    wanted = basket.get(item, 0) + quantity
    if quantity < 1 or wanted > GOODS[item]["stock"]:
        return f"{wanted} x {item} cannot be had: {GOODS[item]['stock']} are in stock."
    basket[item] = wanted
    return f"In the basket: {_in_words(basket)}."


@server.tool()
async def order(context: Context) -> str:
    """Orders all that is in the customer's basket."""
    basket = baskets[_customer(context)]
    if not basket:
        return "The basket is empty."
    if gone := [item for item, quantity in basket.items() if quantity > GOODS[item]["stock"]]:
        return f"Nothing was ordered. Sold to others meanwhile: {', '.join(gone)}."
    for item, quantity in basket.items():
        GOODS[item]["stock"] -= quantity
    total = sum(GOODS[item]["price"] * quantity for item, quantity in basket.items())
    said = f"Ordered: {_in_words(basket)}. Together {total:.2f} €."
    basket.clear()
    return said


def _customer(context: Context) -> str:
    customer = (context.headers or {}).get("x-customer")
    if not customer:
        raise ValueError("the header x-customer is missing")
    return customer


def _in_words(basket: dict[str, int]) -> str:
    return ", ".join(f"{quantity} x {GOODS[item]['name']}" for item, quantity in basket.items())


def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(server.streamable_http_app(), log_level="warning")
        serving = uvicorn.Server(config)

        def end_with_stdin() -> None:
            sys.stdin.read()
            serving.should_exit = True

        threading.Thread(target=end_with_stdin, daemon=True).start()
        sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp\n")
        sys.stdout.flush()
        serving.run(sockets=[listening])


if __name__ == "__main__":
    main()
