"""Draws a bar chart as a PNG, with Pillow."""

import io

from .totals import Total

WIDTH, ROW, LEFT, RIGHT, TOP = 1200, 64, 260, 180, 100
INK, BAR, BELOW_ZERO = "#1f2328", "#3b82f6", "#ef4444"


def bars(title: str, totals: list[Total]) -> bytes:
    """The chart as a PNG. Slow: call it on a thread."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (WIDTH, TOP + ROW * len(totals) + ROW // 2), "white")
    draw = ImageDraw.Draw(image)
    # Pillow's own font has few letters besides those of English. `truetype(file)` takes another.
    large, small = ImageFont.load_default(size=34), ImageFont.load_default(size=26)
    draw.text((32, 28), title, fill=INK, font=large)
    longest = max((abs(each.total) for each in totals), default=0) or 1
    for place, each in enumerate(totals):
        middle = TOP + ROW * place + ROW // 2
        length = round(abs(each.total) / longest * (WIDTH - LEFT - RIGHT))
        color = BAR if each.total >= 0 else BELOW_ZERO
        draw.text((32, middle), each.name[:18], fill=INK, font=small, anchor="lm")
        draw.rectangle((LEFT, middle - 20, LEFT + length, middle + 20), fill=color)
        draw.text((LEFT + length + 16, middle), each.words, fill=INK, font=small, anchor="lm")
    png = io.BytesIO()
    image.save(png, "PNG", optimize=True)
    return png.getvalue()
