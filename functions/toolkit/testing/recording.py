"""Recorded runs: a real model's answers in a file, which later tests replay without a network."""

import json
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agents import Model, ModelResponse, Usage
from agents.items import TResponseOutputItem, TResponseStreamEvent
from agents.testing import ModelCall, ModelScriptError
from openai.types.responses import ResponseCompletedEvent
from pydantic import TypeAdapter

from ...llm import DemoScript
from .models import Whole, asks_for_title, called_with, text_in

RECORD: Final = "CHATKIT_RECORD"
"""The environment variable that makes `recorded` record, whatever its value is."""

_OUTPUT: TypeAdapter[list[TResponseOutputItem]] = TypeAdapter(list[TResponseOutputItem])


class NoRecordingError(ModelScriptError):
    """There is no recording, or it is one of another conversation."""


@dataclass
class _Answer:
    asked: str
    """The newest text that the model got, without what tools returned, which may differ."""
    output: list[Any]
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def response(self) -> ModelResponse:
        usage = Usage(
            requests=1,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            total_tokens=self.input_tokens + self.output_tokens,
        )
        return ModelResponse(
            output=_OUTPUT.validate_python(self.output), usage=usage, response_id=None
        )


class Recording:
    """The answers of a model in a JSON file: see `recorded`. It is a source of a test's models."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.records = RECORD in os.environ
        self._answers: dict[str, list[_Answer]] = {"answers": [], "titles": []}
        if self.records:
            return
        if not path.exists():
            raise NoRecordingError(
                f"{path} does not exist. Record it once with a model that is configured: {RECORD}=1"
            )
        for kind, answers in json.loads(path.read_text(encoding="utf-8")).items():
            self._answers[kind] = [_Answer(**answer) for answer in answers]

    def model(self, real: Callable[[], Model], demo: DemoScript) -> Model:  # noqa: ARG002
        return _Recorder(real(), self) if self.records else _Replayed(self)

    def add(self, call: ModelCall, response: ModelResponse) -> None:
        output = _OUTPUT.dump_python(response.output, mode="json", exclude_none=True)
        usage = response.usage
        answer = _Answer(_asked(call), output, usage.input_tokens, usage.output_tokens)
        self._answers[_kind(call)].append(answer)

    def next(self, call: ModelCall) -> ModelResponse:
        """Raises `NoRecordingError` when the recording is one of another conversation."""
        answers, asked = self._answers[_kind(call)], _asked(call)
        if not answers:
            raise NoRecordingError(f"{self._path} ends before {asked!r}. {_AGAIN}")
        if answers[0].asked != asked:
            raise NoRecordingError(
                f"{self._path} has an answer to {answers[0].asked!r}, and the model was asked "
                f"{asked!r}. {_AGAIN}"
            )
        return answers.pop(0).response

    def close(self) -> None:
        """Write what was recorded."""
        if self.records:
            content = {
                kind: [vars(answer) for answer in answers]
                for kind, answers in self._answers.items()
            }
            self._path.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(content, indent=1, ensure_ascii=False)
            self._path.write_text(text + "\n", encoding="utf-8")

    def check_end(self) -> None:
        """Raises `NoRecordingError` when answers are left."""
        if not self.records and (left := self._answers["answers"]):
            raise NoRecordingError(
                f"{self._path} goes on with the answer to {left[0].asked!r}. {_AGAIN}"
            )


_AGAIN = f"If that is meant, record it again: {RECORD}=1"


def recorded(path: str | Path) -> Recording:
    """A model whose answers are in this JSON file.

    With `CHATKIT_RECORD=1` in the environment, the model that the settings choose (`.env`) answers,
    and the file is written. Otherwise the file is replayed, and nothing else is asked. The file has
    the model's texts and calls of tools; the tools run in either case.
    """
    return Recording(Path(path))


def _kind(call: ModelCall) -> str:
    return "titles" if asks_for_title(call) else "answers"


def _asked(call: ModelCall) -> str:
    newest = call.input[-1] if call.input and not isinstance(call.input, str) else {}
    if newest.get("type") == "function_call_output":
        return "(the output of a tool)"
    return text_in(call)


class _Recorder(Model):
    def __init__(self, model: Model, recording: Recording) -> None:
        self._model = model
        self._recording = recording

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        response = await self._model.get_response(*args, **kwargs)
        self._recording.add(called_with(args, kwargs, streamed=False), response)
        return response

    async def stream_response(
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[TResponseStreamEvent]:
        call = called_with(args, kwargs, streamed=True)
        async for event in self._model.stream_response(*args, **kwargs):
            if isinstance(event, ResponseCompletedEvent):
                usage, reported = Usage(requests=1), event.response.usage
                if reported is not None:
                    usage.input_tokens = reported.input_tokens
                    usage.output_tokens = reported.output_tokens
                output = [*event.response.output]
                self._recording.add(call, ModelResponse(output, usage, None))
            yield event


class _Replayed(Whole):
    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        return self._recording.next(called_with(args, kwargs, streamed=False))
