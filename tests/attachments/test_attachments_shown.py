"""The files of a conversation in one request to the model: how many, and in which shape."""

import asyncio
import io
import struct
import zlib
from datetime import timedelta

import pytest
from chatkit.types import (
    FileAttachment,
    InferenceOptions,
    UserMessageItem,
    UserMessageTextContent,
)
from PIL import Image

from functions.attachments import content, images
from functions.toolkit.converter import Converter
from tests.attachments.test_attachments_content import decoded, photo
from tests.attachments.test_attachments_upload import FIRST, NOW


@pytest.fixture
def sent(place, ada):
    """A message of this `minute`, with files of these bytes."""

    def send(minute, *datas, mime_type="text/plain", name="file"):
        carried = []
        for number, data in enumerate(datas):
            made = FileAttachment(
                id=f"{name}_{minute}_{number}",
                name=f"{name}_{minute}_{number}",
                mime_type=mime_type,
                thread_id="thr_1",
            )
            key = place.files().key(made, ada)
            place.s3.put_object(Bucket="chatkit-files", Key=key, Body=data)
            carried.append(made)
        return UserMessageItem(
            id=f"m{minute}",
            thread_id="thr_1",
            created_at=NOW + timedelta(minutes=minute),
            content=[UserMessageTextContent(text="Look")],
            attachments=carried,
            inference_options=InferenceOptions(),
        )

    return send


@pytest.fixture
def given(place, ada):
    """The parts that stand for files, in each message of the model's input, oldest first."""

    async def give(*messages):
        made = await Converter(place.files(), ada).to_agent_input(list(messages))
        return [
            [part for part in message["content"] if part.get("text") != "Look"] for message in made
        ]

    return give


async def test_the_newest_texts_are_shown_up_to_the_limit(sent, given, monkeypatch):
    monkeypatch.setattr(content, "MAX_TEXT", 2_000)
    (parts,) = await given(
        sent(0, b"a" * 700, b"b" * 700), sent(1, b"c" * 700, b"\x00\x01\xff" * 9, b"d" * 700)
    )
    texts = [part["text"] for part in parts]
    assert ["c" * 700 in texts[2], "cannot read" in texts[3], "d" * 700 in texts[4]] == [True] * 3
    for left_out in texts[:2]:
        assert "not shown to you" in left_out
        assert "politely" in left_out


async def test_the_newest_files_are_shown_up_to_the_limit_of_a_request(sent, given, monkeypatch):
    pdf = FIRST["application/pdf"].ljust(3_000, b"\x00")
    monkeypatch.setattr(content, "MAX_DATA", 9_000)
    (parts,) = await given(*(sent(n, pdf, mime_type="application/pdf") for n in range(4)))
    assert [part["type"] for part in parts] == ["input_text"] * 2 + ["input_file"] * 2


async def test_files_over_the_limit_are_not_read(place, sent, given, monkeypatch):
    monkeypatch.setattr(content, "MAX_TEXT", 500)
    monkeypatch.setattr(content, "MAX_PARALLEL", 1)
    messages = [sent(n, b"x" * 200) for n in range(5)]
    read = []
    events = place.s3.meta.events
    events.register("before-call.s3.GetObject", lambda **_: read.append(1), unique_id="counted")
    try:
        await given(*messages)
    finally:
        events.unregister("before-call.s3.GetObject", unique_id="counted")
    assert len(read) == 2


async def test_files_are_read_in_parallel(sent, given, monkeypatch):
    monkeypatch.setattr(content, "MAX_PARALLEL", 3)
    waiting, all_here = [], asyncio.Event()
    read = content.to_model

    async def meet(*args):
        waiting.append(1)
        if len(waiting) == 3:
            all_here.set()
        await asyncio.wait_for(all_here.wait(), 10)
        return await read(*args)

    monkeypatch.setattr(content, "to_model", meet)
    ((first, *_),) = await given(sent(0, b"one", b"two", b"three"))
    assert "one" in first["text"]


@pytest.mark.parametrize("said", [[], [UserMessageTextContent(text="")]])
async def test_a_file_that_was_sent_without_text_comes_without_an_empty_text(
    sent, place, ada, said
):
    message = sent(0, b"the words").model_copy(update={"content": said})
    (given,) = await Converter(place.files(), ada).to_agent_input([message])
    (part,) = given["content"]
    assert "the words" in part["text"]


async def test_a_file_that_was_sent_twice_is_shown_once(sent, given):
    message = sent(0, b"the words")
    again = sent(1).model_copy(update={"attachments": message.attachments})
    ((first, second),) = await given(message, again)
    assert "the words" in first["text"]
    assert "shown above" in second["text"]
    assert "the words" not in second["text"]


def test_an_animation_is_shown_as_its_first_frame():
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    data, mime_type = images.fit(out.getvalue(), "image/gif")
    assert mime_type == "image/jpeg"
    with Image.open(io.BytesIO(data)) as image:
        red, green, blue = image.getpixel((5, 5))
    assert red > 200
    assert max(green, blue) < 60


@pytest.mark.parametrize("kind", [kind for kind in FIRST if kind.startswith("image/")])
def test_a_file_that_only_begins_like_an_image_is_rejected(kind):
    """The provider would reject it, and every later message of its thread."""
    assert images.fit(FIRST[kind][:12] + bytes(50), kind) is None


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/webp"])
def test_an_incomplete_image_is_rejected(kind):
    data = photo(640, kind)
    assert images.fit(data, kind) == (data, kind)
    for part in (0.5, 0.9, 0.98):
        assert images.fit(data[: int(len(data) * part)], kind) is None


def test_a_damaged_image_is_rejected():
    data = bytearray(photo(64, "image/png"))
    data[len(data) // 2] ^= 0xFF
    assert images.fit(bytes(data), "image/png") is None


def test_an_image_with_valid_checksums_and_no_pixels_is_rejected():
    at = (data := photo(64, "image/png")).index(b"IDAT")
    (length,) = struct.unpack(">I", data[at - 4 : at])
    chunk = b"IDAT" + bytes(length)
    checksum = struct.pack(">I", zlib.crc32(chunk))
    damaged = data[:at] + chunk + checksum + data[at + 8 + length :]
    assert images.fit(damaged, "image/png") is None


def test_a_photo_is_rotated_by_its_exif_orientation():
    lying = Image.open(io.BytesIO(photo(3200, quality=95)))
    exif = lying.getexif()
    exif[0x0112] = 6
    out = io.BytesIO()
    lying.save(out, "JPEG", quality=95, exif=exif)
    data, _ = images.fit(out.getvalue(), "image/jpeg")
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (1024, 2048)


def test_an_image_with_16_bits_of_grey_keeps_its_brightness():
    grey = Image.frombytes("I;16", (2000, 1500), struct.pack("<H", 20_000) * 3_000_000)
    out = io.BytesIO()
    grey.save(out, "PNG", compress_level=0)
    data, _ = images.fit(out.getvalue(), "image/png")
    with Image.open(io.BytesIO(data)) as image:
        assert abs(image.getpixel((9, 9))[0] - 20_000 // 256) <= 2


def test_an_image_that_would_fill_the_memory_is_not_decoded():
    out = io.BytesIO()
    Image.new("1", (images.MAX_SAMPLES // 3 // 4_000 + 1, 4_000)).save(out, "GIF")
    assert images.fit(out.getvalue(), "image/gif") is None


@pytest.mark.parametrize("largest", [0, images.MAX_BYTES])
def test_the_limit_of_pixels_counts_a_progressive_jpeg_whole_and_another_reduced(
    monkeypatch, largest
):
    monkeypatch.setattr(images, "MAX_SAMPLES", 3 * 9_999)
    monkeypatch.setattr(images, "MAX_BYTES", largest)
    monkeypatch.setattr(images, "MAX_SIDE", 20)
    for progressive in (False, True):
        out = io.BytesIO()
        Image.new("RGB", (100, 100)).save(out, "JPEG", progressive=progressive)
        assert (images.fit(out.getvalue(), "image/jpeg") is None) == progressive


def test_the_limit_of_pixels_counts_a_jpeg_whole_that_is_too_narrow_to_reduce(monkeypatch):
    monkeypatch.setattr(images, "MAX_SAMPLES", 3 * 9_999)
    monkeypatch.setattr(images, "MAX_BYTES", 0)
    monkeypatch.setattr(images, "MAX_SIDE", 20)
    for width, height in ((200, 200), (39, 600)):
        out = io.BytesIO()
        Image.new("RGB", (width, height)).save(out, "JPEG")
        assert (images.fit(out.getvalue(), "image/jpeg") is None) == (width < 40)


def flat_jpeg(width, height, scans):
    """A JPEG of one colour that is not progressive. `scans` are the components in each scan."""

    def segment(marker, body):
        return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body

    components = [each for scan in scans for each in scan]
    blocks = -(-width // 8) * -(-height // 8)
    one_code = bytes([1, *[0] * 15, 0])
    frame = struct.pack(">BHHB", 8, height, width, len(components))
    parts = [
        b"\xff\xd8",
        segment(0xE1, b"Exif\0\0 a thumbnail has a scan of its own: \xff\xda\0\x0c\x03"),
        segment(0xDB, b"\0" + bytes([1] * 64)),
        segment(0xC0, frame + b"".join(bytes([each, 0x11, 0]) for each in components)),
        segment(0xC4, b"\x00" + one_code),
        segment(0xC4, b"\x10" + one_code),
    ]
    for scan in scans:
        chosen = b"".join(bytes([each, 0]) for each in scan)
        parts += [
            segment(0xDA, bytes([len(scan)]) + chosen + b"\0\x3f\0"),
            bytes(-(-blocks * len(scan) * 2 // 8)),  # two bits for each block
        ]
    return b"".join([*parts, b"\xff\xd9"])


@pytest.mark.parametrize("largest", [0, images.MAX_BYTES])
@pytest.mark.parametrize("count", [1, 3, 4])
def test_a_jpeg_with_a_scan_for_each_component_counts_whole_as_libjpeg_holds_it(
    monkeypatch, largest, count
):
    """A CMYK JPEG of 2.6 MB with 13,000 x 13,000 pixels took 1.4 GB."""
    monkeypatch.setattr(images, "MAX_BYTES", largest)
    monkeypatch.setattr(images, "MAX_SIDE", 100)
    components = list(range(1, count + 1))
    together = flat_jpeg(800, 800, [components])
    apart = flat_jpeg(800, 800, [[each] for each in components])
    for limit, shown in ((800 * 800 * max(3, count), True), (800 * 800 * 3 - 1, False)):
        monkeypatch.setattr(images, "MAX_SAMPLES", limit)
        assert images.fit(together, "image/jpeg") is not None
        assert (images.fit(apart, "image/jpeg") is not None) == (shown or count == 1)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_image_with_transparency_may_have_fewer_pixels(monkeypatch, kind):
    monkeypatch.setattr(images, "MAX_SAMPLES", 100 * 100 * 3)
    for mode, shown in (("RGB", True), ("RGBA", False)):
        out = io.BytesIO()
        noise = Image.merge("RGBA", [Image.effect_noise((100, 100), 50)] * 4)
        noise.convert(mode).save(out, kind)
        assert (images.fit(out.getvalue(), f"image/{kind.lower()}") is not None) == shown


async def test_files_are_decoded_one_at_a_time(sent, given, monkeypatch):
    inside, most = [], []
    look = content._part

    def counted(*args):
        inside.append(1)
        most.append(len(inside))
        part = look(*args)
        inside.pop()
        return part

    monkeypatch.setattr(content, "_part", counted)
    await given(sent(0, *[photo(1_000, "image/png")] * content.MAX_PARALLEL))
    assert most == [1] * content.MAX_PARALLEL


def test_any_exception_of_pillow_rejects_the_image(monkeypatch):
    def fail(*_):
        raise struct.error("required argument is not an integer")

    monkeypatch.setattr("PIL.ImageOps.exif_transpose", fail)
    assert images.fit(FIRST["image/gif"], "image/gif") is None


async def test_generated_images_count_against_the_limit(place, ada, given, monkeypatch):
    from chatkit.types import GeneratedImage, GeneratedImageItem

    monkeypatch.setattr(content, "MAX_DATA", 400)
    drawn = []
    for n in range(3):
        url = await place.files().put_image("thr_1", f"img{n}", FIRST["image/png"], ada)
        image = GeneratedImage(id="same", url=url)
        drawn.append(GeneratedImageItem(id=f"i{n}", thread_id="thr_1", created_at=NOW, image=image))
    (parts,) = await given(*drawn)
    (drawn_last,) = [part["image_url"] for part in parts if part["type"] == "input_image"]
    assert decoded(drawn_last) == ("image/png", FIRST["image/png"])


async def test_a_server_whose_contexts_are_mappings_gets_the_files_too(place, ada, sent):
    message = sent(0, b"walnuts")
    converter = Converter(place.files(), {"user_id": ada.user_id})
    (given,) = await converter.to_agent_input([message])
    assert "walnuts" in str(given["content"])
