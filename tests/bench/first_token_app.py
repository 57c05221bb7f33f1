"""The chat app in a process of its own, with the table or with a store in memory.

    python -m tests.bench.first_token_app table|memory

Prints its address, and ends when its standard input is closed.
"""

import sys
from contextlib import ExitStack
from unittest.mock import patch

from functions.chat.app import create_app
from functions.settings import Settings
from tests.support.memory_store import MemoryRuns, MemoryStore
from tests.support.served import served


def main(store):
    with ExitStack() as stack:
        if store == "memory":
            stack.enter_context(
                patch.multiple("functions.services", DynamoDBStore=MemoryStore, Runs=MemoryRuns)
            )
        print(stack.enter_context(served(create_app(Settings(_env_file=None)))), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
