"""Conversion of a browser's recording to mp3. Needs PyAV (the dependency group `gemini`)."""

import io

import av
from av.error import FFmpegError

from .audio import TranscriptionError

RATE = 16_000
"""Hertz. Speech models use this rate; Gemini converts audio to it."""

BIT_RATE = 32_000
"""Bits a second. Speech stays clear, and an hour takes 14 MB."""


def to_mp3(data: bytes) -> bytes:
    """The first audio track of `data` as mono mp3. Synchronous: run it on a thread.

    Raises `TranscriptionError` (422) for bytes that FFmpeg cannot read as audio.
    """
    target = io.BytesIO()
    try:
        with av.open(io.BytesIO(data), "r") as source, av.open(target, "w", format="mp3") as sink:
            if not source.streams.audio:
                raise TranscriptionError(422, "There is no sound in this recording.")
            track = sink.add_stream("libmp3lame", rate=RATE, layout="mono")
            track.bit_rate = BIT_RATE
            resampler = av.AudioResampler(format="s16p", layout="mono", rate=RATE)
            for frame in source.decode(source.streams.audio[0]):
                for part in resampler.resample(frame):
                    sink.mux(track.encode(part))
            for part in resampler.resample(None):
                sink.mux(track.encode(part))
            sink.mux(track.encode(None))
    except FFmpegError:
        raise TranscriptionError(422, "No speech could be read from this recording.") from None
    return target.getvalue()
