from collections import Counter

from functions.settings import Settings
from tests.bench.knowledge.labelled import (
    KINDS,
    LANGUAGES,
    answers,
    documents,
    passages,
    questions,
    sections,
)


def test_each_label_finds_one_place_of_one_document() -> None:
    texts = documents()
    for question in questions():
        text = texts[question.document]
        assert text.count(question.quote) == 1, question
        under = [content for heading, content in sections(text) if heading == question.heading]
        assert len(under) == 1, question
        assert question.quote in under[0], question


def test_each_label_finds_one_passage_as_the_product_splits_documents() -> None:
    tokens = Settings.model_fields["passage_tokens"].default
    split = {path: passages(path, tokens) for path in documents()}
    for question in questions():
        assert sum(answers(each, question) for each in split[question.document]) == 1, question


def test_no_question_is_asked_twice() -> None:
    asked = Counter(question.question.casefold() for question in questions())
    assert [question for question, times in asked.items() if times > 1] == []


def test_the_set_is_large_enough_and_each_part_of_it_is() -> None:
    everything = questions()
    assert len(everything) >= 200
    assert {question.document for question in everything} == set(documents())
    assert {question.kind for question in everything} == set(KINDS)
    assert {question.language for question in everything} == set(LANGUAGES)
    for held_out in (True, False):
        half = [question for question in everything if question.held_out is held_out]
        assert len(half) >= 100
        parts = Counter((question.kind, question.language) for question in half)
        assert min(parts[kind, language] for kind in KINDS for language in LANGUAGES) >= 5
        assert len(parts) == len(KINDS) * len(LANGUAGES)
