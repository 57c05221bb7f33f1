"""The chat app in a process of its own, with the table or with a store in memory.

    python -m tests.bench.first_token_app table|memory

Prints its address, and ends when its standard input is closed.
"""

import sys
from dataclasses import replace

from functions.chat.app import create_app
from functions.services import Services
from functions.settings import Settings
from tests.support.memory_store import MemoryRuns, MemoryTurns
from tests.support.served import served


def main(store):
    services = Services.of(Settings(_env_file=None))
    if store == "memory":
        services = replace(services, store=MemoryTurns(), runs=MemoryRuns())
    with served(create_app(services=services)) as url:
        print(url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
