"""Sound for tests: tones, speech from espeak-ng, and recordings encoded as browsers do."""

import io
import math
import shutil
import struct
import subprocess
import wave
from array import array

import pytest

CODECS = {"webm": "libopus", "ogg": "libopus", "mp4": "aac", "mp3": "libmp3lame"}

MIME = {
    "webm": "audio/webm;codecs=opus",
    "ogg": "audio/ogg; codecs=opus",
    "mp4": "audio/mp4",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
}


def tone(seconds: float = 1.0, rate: int = 16_000, loudness: int = 12_000) -> bytes:
    """A wav file with one note. With a loudness of 0 it is silent."""
    samples = (
        int(loudness * math.sin(2 * math.pi * 440 * n / rate)) for n in range(int(seconds * rate))
    )
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return target.getvalue()


def spoken(text: str, path) -> None:
    """Write spoken `text` as a wav file to `path`. Skips the test where espeak-ng is missing."""
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("espeak-ng is not installed")
    subprocess.run([program, "-w", str(path), text], check=True)


def encoded(wav: bytes, container: str) -> bytes:
    """`wav` as a recording in `container`."""
    if container == "wav":
        return wav
    av = pytest.importorskip("av", reason="PyAV is not installed")
    target = io.BytesIO()
    with av.open(io.BytesIO(wav)) as source, av.open(target, "w", format=container) as sink:
        track = sink.add_stream(CODECS[container], rate=48_000, layout="mono")
        resampler = av.AudioResampler(format=track.format.name, layout="mono", rate=48_000)
        for frame in source.decode(audio=0):
            for part in resampler.resample(frame):
                sink.mux(track.encode(part))
        for part in resampler.resample(None):
            sink.mux(track.encode(part))
        sink.mux(track.encode(None))
    return target.getvalue()


def loudest(recording: bytes) -> float:
    """The loudest sample of a recording, from 0 to 1."""
    av = pytest.importorskip("av", reason="PyAV is not installed")
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    samples = array("h")
    with av.open(io.BytesIO(recording)) as file:
        for frame in file.decode(audio=0):
            for part in resampler.resample(frame):
                samples.frombytes(bytes(part.planes[0])[: part.samples * 2])
    return max(abs(sample) for sample in samples) / 32_768
