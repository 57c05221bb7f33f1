"""A Lambda handler as its execution environment has it."""

import importlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor


class Environment:
    """An execution environment: the module with the `handler`, imported once, in a thread."""

    def __init__(self, module):
        self._module = module
        self.thread = ThreadPoolExecutor(1)
        self.handler = self.thread.submit(self._start).result()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thread.shutdown()

    def _start(self):
        sys.modules.pop(self._module, None)
        return importlib.import_module(self._module)

    def invoke(self, event):
        return self.thread.submit(
            self.handler.handler, json.loads(json.dumps(event)), None
        ).result()
