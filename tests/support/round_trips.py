"""Which calls to AWS were made one after the other before the model was called."""

import time

from functions import aws


class Recorder:
    """Records the times of each call to DynamoDB, and of the calls of the model."""

    def __init__(self, model, monkeypatch):
        self.spans = []
        self.model_calls = []
        call, answer = aws.call, model._next

        async def timed(method, /, **kwargs):
            began = time.monotonic()
            try:
                return await call(method, **kwargs)
            finally:
                self.spans.append((began, time.monotonic(), getattr(method, "__name__", "?")))

        async def noted(request):
            self.model_calls.append(time.monotonic())
            return await answer(request)

        monkeypatch.setattr(aws, "call", timed)
        monkeypatch.setattr(model, "_next", noted)

    def round_trips(self):
        """The calls that started before the model was called, in groups that overlap."""
        groups = []
        for began, ended, name in sorted(s for s in self.spans if s[0] < min(self.model_calls)):
            if groups and began < groups[-1][0]:
                groups[-1] = (max(groups[-1][0], ended), [*groups[-1][1], name])
            else:
                groups.append((ended, [name]))
        return [names for _, names in groups]
