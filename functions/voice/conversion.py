"""Conversion of a browser's recording to mp3. Needs PyAV (the dependency group `gemini`)."""

import io
from collections.abc import Callable

import av
from av.error import FFmpegError

from .audio import TranscriptionError

RATE = 16_000
"""Hertz. Speech models use this rate; Gemini converts audio to it."""

BIT_RATE = 32_000
"""Bits a second. Speech stays clear, and an hour takes 14 MB."""

MAX_SECONDS = 3_600
"""Seconds of sound. A few megabytes of silence may be many hours."""


def to_mp3(data: bytes, max_bytes: int, is_stopped: Callable[[], bool]) -> bytes:
    """The first audio track of `data` as mono mp3. Synchronous: run it on a thread.

    Ends at the next frame when `is_stopped` says so: nothing else ends a thread. Raises
    `TranscriptionError`: 413 for sound of over an hour, or of over `max_bytes` as mp3, as soon as
    that much is decoded; 422 for bytes that FFmpeg cannot read as audio; 503 when it was stopped.
    """
    target = io.BytesIO()
    seconds = 0.0
    try:
        with av.open(io.BytesIO(data), "r") as source, av.open(target, "w", format="mp3") as sink:
            if not source.streams.audio:
                raise TranscriptionError(422, "There is no sound in this recording.")
            track = sink.add_stream("libmp3lame", rate=RATE, layout="mono")
            track.bit_rate = BIT_RATE
            resampler = av.AudioResampler(format="s16p", layout="mono", rate=RATE)
            for frame in source.decode(source.streams.audio[0]):
                if is_stopped():
                    raise TranscriptionError(503, "The recording is no longer needed.")
                seconds += frame.samples / frame.sample_rate
                if seconds > MAX_SECONDS or target.tell() > max_bytes:
                    raise TranscriptionError(413, "The recording is longer than an hour.")
                for part in resampler.resample(frame):
                    sink.mux(track.encode(part))
            for part in resampler.resample(None):
                sink.mux(track.encode(part))
            sink.mux(track.encode(None))
    except FFmpegError:
        raise TranscriptionError(422, "No speech could be read from this recording.") from None
    return target.getvalue()
