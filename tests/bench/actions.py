"""The second function: cold start, and a sync action once it is warm.

    python -m tests.bench.actions [PRESSES]

The host bundle under AWS's own runtime client, behind the emulator's Function URL,
against the same app from the same bundle under uvicorn, in one run, both in front of
one moto. Then what its imports are made of: there is no agents SDK and no model SDK
among them, so what is left is what every request needs.
"""

import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import httpx2

from functions.assistant import widgets
from functions.assistant.data import AssistantData
from functions.context import RequestContext
from functions.identity.anonymous import new_user
from functions.settings import Settings
from functions.store import DynamoDBStore, Records
from infra.bundle import build
from infra.local.cloud import local_cloud
from tests.emulator.environment import Environment
from tests.emulator.function import Function
from tests.emulator.function_url import FunctionUrl
from tests.emulator.project import actions_configuration
from tests.emulator.python_runtime import lay_out
from tests.emulator.server import Server
from tests.support.items import widget_item

KEY = "k" * 32
COLD_STARTS = 5
