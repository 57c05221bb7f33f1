"""A function: one environment for each simultaneous invocation, up to its concurrency."""

import asyncio
from typing import Self

from infra.emulator.environment import Configuration, Environment
from infra.emulator.invocation import EVENT_LIMIT, Invocation


class TooLargeError(Exception):
    """The event has more than 6 MB."""


class ThrottledError(Exception):
    """Every environment is busy, and the concurrency allows no more."""


class Function:
    """Starts environments when they are needed, keeps them, and ends them all when it is left."""

    def __init__(self, configuration: Configuration, *, echo: bool = False) -> None:
        self.configuration = configuration
        self.environments: list[Environment] = []
        self._idle: list[Environment] = []
        self._starting = 0
        self._running: set[asyncio.Task[None]] = set()
        self._echo = echo

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(environment.stop() for environment in self.environments))
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for environment in self.environments:
            await environment.__aexit__()

    async def invoke(self, payload: bytes) -> Invocation:
        """Start an invocation; its answer arrives in `Invocation.answer`.

        Raises `TooLargeError` and `ThrottledError`.
        """
        if len(payload) > EVENT_LIMIT:
            raise TooLargeError(f"{len(payload)} bytes exceeded the 6 MB limit of an event")
        environment = await self._environment()
        invocation = Invocation(payload, self.configuration.timeout, self.configuration.arn)
        task = asyncio.create_task(self._run(environment, invocation))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return invocation

    async def settled(self) -> None:
        """Wait until no invocation runs."""
        while self._running:
            await asyncio.wait(set(self._running))

    async def _environment(self) -> Environment:
        while self._idle:
            environment = self._idle.pop()
            if environment.alive:
                return environment
            await self._discard(environment)
        if len(self.environments) + self._starting >= self.configuration.concurrency:
            raise ThrottledError
        self._starting += 1
        try:
            environment = Environment(self.configuration, echo=self._echo)
            await environment.__aenter__()
        finally:
            self._starting -= 1
        self.environments.append(environment)
        return environment

    async def _run(self, environment: Environment, invocation: Invocation) -> None:
        await environment.run(invocation)
        if environment.alive and environment.api.ready.is_set():
            self._idle.append(environment)
        else:
            await self._discard(environment)

    async def _discard(self, environment: Environment) -> None:
        if environment in self.environments:
            self.environments.remove(environment)
        await environment.__aexit__()
