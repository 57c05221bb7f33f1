"""What `GET /chatkit/report` answers for conversations of `make seed`, computed from them alone."""

from collections import Counter, defaultdict
from datetime import timedelta
from statistics import quantiles


def report_of(conversations, days, today):
    """The report of so many days, of which `today` is the last."""
    turns = defaultdict(list)
    for each in conversations:
        for turn in each.turns:
            turns[turn.record.at[:10]].append(turn)
    every = [str(today - timedelta(days=back)) for back in range(days - 1, -1, -1)]
    questions = [each for day in every for turn in turns[day] for each in _questions(turn)]
    return {
        "from": every[0],
        "to": every[-1],
        "days": [_day(day, turns[day]) for day in every],
        "questions": sorted(questions, key=lambda each: each["at"], reverse=True),
    }


def _questions(turn):
    asked = {"at": turn.record.at, "thread": turn.record.thread_id, "text": None}
    if turn.feedback == "negative":
        yield {**asked, "why": "thumb down", "item": turn.answer_id}
    if turn.record.unsupported:
        yield {**asked, "why": "no source", "item": turn.record.message_id}


def _day(day, turns):
    records = [turn.record for turn in turns]
    tools = [tool for record in records for tool in record.tools]
    thumbs = [turn.feedback for turn in turns]
    return {
        "day": day,
        "people": len({record.owner for record in records}),
        "messages": len(records),
        "outcomes": dict(Counter(record.outcome for record in records)),
        "errors": dict(Counter(record.error for record in records if record.error)),
        "feedback": {kind: thumbs.count(kind) for kind in ("positive", "negative")},
        "tools": {
            name: {
                "calls": sum(tool.name == name for tool in tools),
                "failed": sum(tool.name == name and tool.outcome == "failed" for tool in tools),
            }
            for name in {tool.name for tool in tools}
        },
        "models": [
            _model(provider, model, [each for each in records if each.model == model])
            for provider, model in sorted({(each.provider, each.model) for each in records})
        ],
    }


def _model(provider, model, records):
    first = [each.first_token_ms for each in records if each.first_token_ms is not None]
    tenths = quantiles(first, n=10, method="inclusive") if len(first) > 1 else first * 9
    return {
        "model": model,
        "provider": provider,
        "answers": sum(each.outcome != "failed" for each in records),
        "inputTokens": sum(each.input_tokens for each in records),
        "outputTokens": sum(each.output_tokens for each in records),
        "cachedTokens": sum(each.cached_tokens for each in records),
        "dollars": sum(each.microdollars for each in records) / 1e6,
        "firstTokenP50Ms": round(tenths[4]) if first else None,
        "firstTokenP90Ms": round(tenths[8]) if first else None,
    }
