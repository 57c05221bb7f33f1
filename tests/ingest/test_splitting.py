"""Documents in passages."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.ingest.reading import Block, Read
from functions.ingest.splitting import split
from functions.llm.length import BYTES_OF_A_TOKEN


def passages(*blocks, tokens=50):
    return split(Read("A title", list(blocks)), tokens)


def heading(text, level=1, page=None, anchor=None):
    return Block("heading", text, level, page, anchor)


def text(words, page=None):
    return Block("text", words, page=page)


def test_a_passage_has_the_path_of_headings_and_the_nearest_anchor_and_page():
    first, second, third = passages(
        heading("Guide", 1, 1, "guide"),
        text("Before all. " * 15, 1),
        heading("Part", 2, 2),
        text("Inside. " * 20, 3),
        heading("Other", 1, 4, "other"),
        text("Last.", 4),
    )
    assert (first.headings, first.page, first.anchor) == (("Guide",), 1, "guide")
    assert (second.headings, second.page, second.anchor) == (("Guide", "Part"), 3, "guide")
    assert (third.headings, third.page, third.anchor) == (("Other",), 4, "other")


def test_a_small_section_is_one_passage_with_its_subsections_and_never_with_its_neighbours():
    parts = passages(
        text("Preface."),
        heading("One"),
        text("Own."),
        heading("Sub", 2),
        text("Below."),
        heading("Two"),
        text("Other."),
        heading("Empty"),
    )
    assert [(each.headings, each.text) for each in parts] == [
        ((), "Preface."),
        (("One",), "Own.\n\nSub\n\nBelow."),
        (("Two",), "Other."),
        ((), "Empty"),
    ]


def test_subsections_of_a_section_without_text_of_its_own_are_apart():
    parts = passages(heading("All"), heading("A", 2), text("x"), heading("B", 2), text("y"))
    assert [(each.headings, each.text) for each in parts] == [
        (("All", "A"), "x"),
        (("All", "B"), "y"),
    ]


def test_subsections_on_other_pages_are_apart():
    parts = passages(heading("All", 1, 1), text("x", 1), heading("B", 2, 2), text("y", 2))
    assert [(each.page, each.text) for each in parts] == [(1, "x"), (2, "y")]


def test_small_paragraphs_are_merged_and_a_long_one_is_cut_where_sentences_end():
    sentence = "Eleven words of some length are what this sentence is made of. "
    parts = passages(text("Short."), text("Shorter."), text((sentence * 8).strip()))
    assert parts[0].text.startswith("Short.\n\nShorter.\n\nEleven")
    assert all(each.text.endswith((".", "of.")) for each in parts)
    assert len({len(each.text) // 70 for each in parts}) == 1  # about the same size


def test_a_list_is_cut_between_its_items():
    items = "\n".join(f"- Item {n}. It has two sentences." for n in range(20))
    assert all(each.text.startswith("- Item") for each in passages(text(items)))


def test_a_table_that_fits_is_whole_and_a_longer_one_has_its_header_in_each_part():
    header, rows = "Name | Price", [f"Bread {n} | {n}.50" for n in range(30)]
    small = Block("table", "\n".join([header, *rows[:8]]))
    assert passages(text("Words. " * 20), small)[-1].text == small.text
    parts = passages(Block("table", "\n".join([header, *rows])))
    assert all(each.text.startswith(header + "\n") for each in parts)
    assert [row for each in parts for row in each.text.split("\n")[1:]] == rows


def test_chinese_without_spaces_is_cut_where_sentences_end():
    parts = passages(text("今天的面包很好吃。" * 40))
    assert all(each.text.endswith("。") for each in parts)
    assert len(parts) > 4


WORD = st.text("abcdefgß語.!\n-|", min_size=1, max_size=6).filter(str.strip)
BLOCK = st.builds(
    Block,
    st.sampled_from(["heading", "text", "text", "table"]),
    st.lists(WORD, min_size=1, max_size=60).map(" ".join),
    st.integers(0, 4),
    st.sampled_from([1, 2, None]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(BLOCK, max_size=12), st.integers(12, 80))
def test_no_word_is_lost_and_no_passage_is_too_large(blocks, tokens):
    found = split(Read("t", blocks), tokens)
    said = " ".join(" ".join([*each.headings, each.text]) for each in found)
    written = " ".join(block.text for block in blocks)
    assert Counter(written.split()) <= Counter(said.split())
    room = tokens * BYTES_OF_A_TOKEN
    for each in found:
        path = sum(len(name.encode()) + 1 for name in each.headings)
        assert len(each.text.encode()) <= max(room - path, room // 2)
