"""How much CPU and memory it takes to decode small files that hold a lot.

    python -m tests.bench.bombs

A CMYK JPEG of 2.6 MB with a scan for each component, and 8.4 MB of silence in FLAC (ten hours).
Each is decoded in a process of its own. Memory is the peak of that process.
"""

import io
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable

SIDE = 13_000
SOUND_BYTES = 8_400_000


def jpeg() -> bytes:
    from tests.attachments.test_attachments_shown import flat_jpeg

    return bytes(flat_jpeg(SIDE, SIDE, [[1], [2], [3], [4]]))


def silence() -> bytes:
    import av

    target = io.BytesIO()
    with av.open(target, "w", format="ogg") as sink:
        track = sink.add_stream("flac", rate=16_000, layout="mono")
        frame = av.AudioFrame(format="s16", layout="mono", samples=4_608)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.sample_rate, frame.pts = 16_000, 0
        while target.tell() < SOUND_BYTES:
            sink.mux(track.encode(frame))
            frame.pts += frame.samples
        sink.mux(track.encode(None))
    return target.getvalue()


def show(data: bytes) -> str:
    from functions.attachments.images import fit

    return "refused" if fit(data, "image/jpeg") is None else "shown"


def hear(data: bytes) -> str:
    from functions.voice.audio import TranscriptionError
    from functions.voice.conversion import to_mp3
    from functions.voice.gemini_speech import MAX_BYTES

    try:
        return f"{len(to_mp3(data, MAX_BYTES, lambda: False)):,} bytes of mp3"
    except TranscriptionError as error:
        return error.message


def measure(name: str, decode: Callable[[bytes], str], data: bytes) -> None:
    began = time.process_time()
    outcome = decode(data)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    spent = time.process_time() - began
    sys.stdout.write(f"{name}, {len(data):,} bytes: {outcome} ({spent:.1f} s CPU, {peak} MB)\n")


def main() -> None:
    processes = multiprocessing.get_context("spawn")
    for name, decode, data in (("JPEG", show, jpeg()), ("silence", hear, silence())):
        process = processes.Process(target=measure, args=(name, decode, data))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
